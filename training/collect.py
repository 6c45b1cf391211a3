"""Converts writers' sheets to labelled lines: ``python -m training.collect FOLDER NAME``. Standard library only.

A writer follows ``WRITING.md`` and puts ``lines.txt`` and ``threads.txt`` in a folder. A second reader, who sees
neither the writer's codes nor other writers' lines, follows ``READING.md`` to label the same lines, and adds
``labels.txt`` and ``thread_labels.txt``. Lines on which both agree are written to ``data/writers/NAME.jsonl`` and
``NAME.threads.jsonl``, in the format of the corpus with ``writer`` and ``code`` added. All other lines are dropped and
counted.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent / "data" / "writers"
DIRECTIONS = {">": "outbound", "<": "inbound", "n": "note"}
#: The corpus label for the first letter of a code.
LABELS = {
    "i": "identifier",
    "q": "solicit",
    "m": "solicit",
    "d": "solicit",
    "r": "refusal",
    "b": "benign",
    "h": "harassment",
}
#: Groups on which the writer and the second reader must agree: attempt, harassment, refusal or benign.
_GROUPS = {
    "i": "attempt",
    "q": "attempt",
    "m": "attempt",
    "d": "attempt",
    "r": "refusal",
    "b": "benign",
    "h": "harassment",
}
_ALIASES = {"ma": "mo", "da": "do"}
#: Maximum distance between the messages that the writer and the second reader mark as completing an attempt.
NEAR = 2
_LINE = re.compile(r"(\w+)\s+([<>n])\s+([\w-]+)\s*\|\s?(.*)")
_MESSAGE = re.compile(r"([<>])(\d+)?(\*)?(\d+)?\s+(.*)")
_SPAN = re.compile(r"⟦(.*?)⟧", re.DOTALL)
Row = dict[str, Any]


@dataclass
class Counts:
    """Counts of lines written, kept and dropped."""

    written: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def lines(folder: Path, name: str, counts: Counts) -> Iterator[Row]:
    """Yield the labelled lines of one writer that the second reader confirmed."""
    second = _answers(folder / "labels.txt")
    seen: set[str] = set()
    for number, raw in enumerate((folder / "lines.txt").read_text("utf-8").splitlines(), 1):
        match = _LINE.fullmatch(raw)
        if match is None:
            continue
        code, sign, lang, marked = _ALIASES.get(match[1], match[1]), match[2], match[3], match[4].replace("\\n", "\n")
        text = marked.replace("⟦", "").replace("⟧", "").strip()
        if not text or text in seen:
            continue
        seen.add(text)
        counts.written += 1
        other = second.get(number, "x")
        if _GROUPS[code[0]] != _GROUPS.get(other, other):
            counts.dropped[f"{_GROUPS[code[0]]} read as {_GROUPS.get(other, 'unsure')}"] += 1
            continue
        counts.kept += 1
        yield {
            "id": f"{name}-{number:04}",
            "writer": name,
            "lang": lang,
            "direction": DIRECTIONS[sign],
            "text": text,
            "label": LABELS[code[0]],
            "code": code,
            "spans": [span.strip() for span in _SPAN.findall(marked) if span.strip()],
        }


def threads(folder: Path, name: str, counts: Counts) -> Iterator[Row]:
    """Yield the threads of one writer that the second reader confirmed."""
    second = _answers(folder / "thread_labels.txt")
    for number, lang, code, messages in _sheets(folder / "threads.txt"):
        counts.written += 1
        stars = [place for place, message in enumerate(messages) if message.pop("star")]
        at = stars[0] if stars else None
        other = second.get(number, "x")
        if not _same(messages, at, other):
            counts.dropped[f"{'clean' if at is None else 'attempt'} read as {'clean' if other == 'c' else other}"] += 1
            continue
        counts.kept += 1
        yield {
            "id": f"{name}-t{number:04}",
            "writer": name,
            "lang": lang,
            "label": "clean" if at is None else "attempt",
            "by": None if at is None else ("employee" if messages[at]["direction"] == "outbound" else "customer"),
            "evidence_at": at,
            "code": None if at is None else code,
            "messages": messages,
        }


def _same(messages: list[Row], at: int | None, other: str) -> bool:
    if at is None or not other.isdigit():
        return at is None and other == "c"
    place = int(other)
    side = place < len(messages) and messages[place]["direction"] == messages[at]["direction"]
    return side and abs(place - at) <= NEAR


def _sheets(path: Path) -> Iterator[tuple[int, str, str, list[Row]]]:
    """Yield (number of the header line, language, code, messages) for each thread.

    In a message, ``star`` says whether it completes the evidence.
    """
    head: tuple[int, str, str] | None = None
    messages: list[Row] = []
    for number, raw in enumerate([*path.read_text("utf-8").splitlines(), "#"], 1):
        if raw.startswith("#"):
            if head and len(messages) >= 4:
                yield (*head, messages)
            words, messages = raw[1:].split(), []
            head = (number, words[2], _ALIASES.get(words[1], words[1])) if len(words) >= 3 else None
        elif match := _MESSAGE.fullmatch(raw):
            text = match[5].replace("⟦", "").replace("⟧", "").replace("\\n", "\n")
            messages.append(
                {
                    "direction": DIRECTIONS[match[1]],
                    "minutes_after_previous": int(match[2] or match[4] or 1),
                    "text": text,
                    "star": bool(match[3]),
                }
            )


def _answers(path: Path) -> dict[int, str]:
    """Return the second reader's letters by line number."""
    rows = (raw.split() for raw in path.read_text("utf-8").splitlines())
    return {int(words[0].rstrip("><n")): words[1] for words in rows if len(words) == 2}


def write(path: Path, rows: Iterator[Row]) -> None:
    """Write one JSON object per line."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def main() -> None:
    """Collect the lines of one writer."""
    parser = argparse.ArgumentParser(
        description="Turn a writer's sheets and a second reader's letters into labelled lines."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    options = parser.parse_args()
    of_lines, of_threads = Counts(), Counts()
    OUT.mkdir(exist_ok=True)
    write(OUT / f"{options.name}.jsonl", lines(options.folder, options.name, of_lines))
    write(OUT / f"{options.name}.threads.jsonl", threads(options.folder, options.name, of_threads))
    for what, counts in (("lines", of_lines), ("threads", of_threads)):
        print(f"{options.name}: {counts.kept} of {counts.written} {what} kept; dropped: {dict(counts.dropped)}")


if __name__ == "__main__":
    main()
