"""Evaluates detection: ``python -m training.evaluate [--json FILE] [--check FILE] [--every N]``. Deterministic.

It uses the shipped weights and data that no training has read: held-out writers (lines, threads, harassment), the
project's held-out files, and real conversations. Both stages are measured as supervision uses them: the quick scan
alone, and the quick scan with the encoder. Lines are judged with ``scan``, threads message by message. ``--check``
fails if a figure is worse than the recorded one by more than the tolerance.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from crm_contact_guard import detection
from crm_contact_guard.detection import Direction, Kind, Scan, ThreadVerdict, Tier
from training import dataset, real, smalltalk

#: A figure may get worse by this much without failing ``--check``, because retraining on more lines changes individual
#: verdicts.
TOLERANCE = 0.015
#: Length ranges for real conversations, in messages.
LENGTHS = ((1, 10), (11, 20), (21, 1000))
#: Harassment is an alert from this score on, as in supervision.
HARASSMENT = 0.5
Figures = dict[str, Any]
Judged = tuple[dataset.Row, Scan]


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a proportion."""
    if not whole:
        return 0.0, 1.0
    share, z = part / whole, 1.96
    centre = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    spread = z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole)) / (1 + z * z / whole)
    return round(centre - spread, 4), round(centre + spread, 4)


def share(flags: Iterable[bool]) -> Figures:
    """Return the counts, the proportion and its interval."""
    values = list(flags)
    count = sum(values)
    low, high = wilson(count, len(values))
    return {"found": count, "of": len(values), "share": round(count / max(1, len(values)), 4), "interval": [low, high]}


def of_lines(rows: Sequence[dataset.Row], *, deep: bool) -> Figures:
    """Return figures for alerts and noticed messages on labelled lines."""
    judged = [(row, detection.scan(row["text"], direction=row["direction"], semantic_stage=deep)) for row in rows]
    attempts = [(row["label"] in dataset.ATTEMPTS, verdict) for row, verdict in judged]
    true = sum(attempt and verdict.attempt for attempt, verdict in attempts)
    alerted = sum(verdict.attempt for _, verdict in attempts)
    of = sum(attempt for attempt, _ in attempts)
    figures: Figures = {
        "lines": len(rows),
        "precision": round(true / max(1, alerted), 4),
        "recall": round(true / max(1, of), 4),
        "f1": round(2 * true / max(1, alerted + of), 4),
        "noticed_recall": round(sum(a and v.tier is not Tier.NONE for a, v in attempts) / max(1, of), 4),
    }
    for label in ("identifier", "solicit", "refusal", "benign"):
        flags = [verdict.attempt for row, verdict in judged if row["label"] == label]
        if flags:
            figures[label] = share(flags)
    quiet = [verdict.tier is not Tier.NONE for row, verdict in judged if row["label"] not in dataset.ATTEMPTS]
    figures["harmless_noticed"] = share(quiet)
    return figures | _harassment(judged)


def _harassment(judged: Sequence[Judged]) -> Figures:
    """Return precision and recall for harassment on messages from customers."""
    pairs = [
        (row["label"] == "harassment", _harasses(verdict)) for row, verdict in judged if row["direction"] == "inbound"
    ]
    of, flagged = sum(meant for meant, _ in pairs), sum(hit for _, hit in pairs)
    if not of:
        return {}
    true = sum(meant and hit for meant, hit in pairs)
    return {
        "harassment": {
            "precision": round(true / max(1, flagged), 4),
            "recall": round(true / of, 4),
            "f1": round(2 * true / max(1, flagged + of), 4),
            "of": of,
        }
    }


def _harasses(verdict: Scan) -> bool:
    return any(one.kind is Kind.HARASSMENT and one.score >= HARASSMENT for one in verdict.findings)


def of_threads(rows: Sequence[dataset.Row], *, deep: bool) -> Figures:
    """Return figures for alerts on labelled threads, read message by message."""
    judged = [(row, detection.read_thread(dataset.as_messages(row), semantic_stage=deep)) for row in rows]
    true = [(row, verdict) for row, verdict in judged if row["label"] == "attempt" and verdict.attempt]
    attempts = [verdict for row, verdict in judged if row["label"] == "attempt"]
    clean = [verdict.attempt for row, verdict in judged if row["label"] == "clean"]
    return {
        "threads": len(rows),
        "precision": round(len(true) / max(1, len(true) + sum(clean)), 4),
        "recall": round(len(true) / max(1, len(attempts)), 4),
        "f1": round(2 * len(true) / max(1, len(true) + sum(clean) + len(attempts)), 4),
        "noticed_recall": round(sum(v.tier is not Tier.NONE for v in attempts) / max(1, len(attempts)), 4),
        "clean": share(clean),
        "side": round(sum(row["by"] == verdict.by for row, verdict in true) / max(1, len(true)), 4),
        "timely": round(sum(_timely(row, verdict) for row, verdict in true) / max(1, len(true)), 4),
    }


def _timely(row: dataset.Row, verdict: ThreadVerdict) -> bool:
    return verdict.at is not None and verdict.at <= row["evidence_at"] + 1


def of_talk(*, deep: bool, step: int) -> Figures:
    """Return figures for false alerts on real, harmless data: single messages, and whole dialogues by length."""
    figures: Figures = {"messages": {}, "dialogues": {}}
    for name in real.MESSAGES:
        rows = real.messages(name, "measuring")[::step]
        verdicts = [detection.scan(row["text"], direction=row["direction"], semantic_stage=deep) for row in rows]
        figures["messages"][name] = {
            "alert": share(verdict.attempt for verdict in verdicts),
            "noticed": share(verdict.tier is not Tier.NONE for verdict in verdicts),
            "harassment": share(map(_harasses, verdicts)),
        }
    lengths: dict[str, list[ThreadVerdict]] = defaultdict(list)
    for name in real.THREADS:
        for row in real.threads(name, "measuring")[::step]:
            verdict = detection.read_thread(dataset.as_messages(row), semantic_stage=deep)
            lengths[name].append(verdict)
            lengths[_length(len(row["messages"]))].append(verdict)
    for name, verdicts in sorted(lengths.items()):
        figures["dialogues"][name] = {
            "alert": share(verdict.attempt for verdict in verdicts),
            "noticed": share(verdict.tier is not Tier.NONE for verdict in verdicts),
        }
    return figures


def _length(messages: int) -> str:
    first, last = next((first, last) for first, last in LENGTHS if first <= messages <= last)
    return f"{first} to {last} messages" if last < 1000 else f"more than {first - 1} messages"


def small_talk(*, deep: bool, step: int) -> Figures | None:
    """Return the share of flagged utterances in the half of the chatterbot corpus that isn't used for training.

    Return None if the corpus is not installed.
    """
    try:
        texts = [text for text in smalltalk.utterances("english") if not smalltalk.trained(text)][::step]
    except ImportError:
        return None
    return share(detection.scan(text, direction=Direction.INBOUND, semantic_stage=deep).attempt for text in texts)


def disguises(each: int = 25) -> Figures:
    """Return the recall for each technique of the tests' generator.

    A sample counts as found if it is judged an attempt and the findings cover at least half of the hidden identifier.
    """
    from tests.detection.disguises import covered, samples

    hits: dict[str, list[bool]] = defaultdict(list)
    for technique, text, hidden in samples(7, each):
        hits[technique].append(covered(text, hidden, detection.scan(text, direction=Direction.OUTBOUND)))
    shares = {name: round(sum(results) / len(results), 4) for name, results in hits.items()}
    return {
        "techniques": len(shares),
        "macro_recall": round(sum(shares.values()) / len(shares), 4),
        "below_one": {name: part for name, part in shares.items() if part < 1},
    }


def evaluate(*, step: int = 1) -> Figures:
    """Return all figures. If ``step`` is n, only every nth line is read."""
    report: Figures = {"disguises": disguises()}
    holdouts = {path.stem: dataset.read(path)[::step] for path in dataset.holdout_files()}
    writers = [row for path in dataset.writer_files("held out") for row in dataset.read(path)[::step]]
    threads = [row for path in dataset.writer_thread_files("held out") for row in dataset.read(path)[::step]]
    for stage in ("quick", "deep") if detection.semantic_available() else ("quick",):
        deep = stage == "deep"
        part: Figures = {"small talk": small_talk(deep=deep, step=step)}
        if writers:
            part["writers held out"] = of_lines(writers, deep=deep)
            part["threads of writers held out"] = of_threads(threads, deep=deep)
        part |= {name: of_lines(rows, deep=deep) for name, rows in holdouts.items()}
        if real.available():
            part["real talk"] = of_talk(deep=deep, step=step)
        report[stage] = part
    return report


def lines_of(report: Figures, name: str = "") -> Iterator[str]:
    """Yield the figures as lines of text."""
    for key, value in report.items():
        path = f"{name} · {key}" if name else key
        if not isinstance(value, dict):
            continue
        if "share" in value:
            yield f"{path}: {value['found']} of {value['of']} ({value['share']:.2%}, {value['interval'][0]:.2%} to {value['interval'][1]:.2%})"
            continue
        numbers = {k: v for k, v in value.items() if isinstance(v, int | float)}
        if numbers:
            yield f"{path}: " + ", ".join(f"{k} {v}" for k, v in numbers.items())
        yield from lines_of(value, path)


def worse(report: Figures, recorded: Figures, name: str = "") -> list[str]:
    """Return the figures that are worse than the recorded ones.

    A figure is worse if recall or F1 is lower, or if a higher share of harmless data is flagged.
    """
    failures: list[str] = []
    for key, before in recorded.items():
        now, path = report.get(key), f"{name} · {key}" if name else key
        if isinstance(before, dict) and isinstance(now, dict):
            failures += worse(now, before, path)
        elif key in ("f1", "macro_recall", "noticed_recall") and isinstance(now, float) and now < before - TOLERANCE:
            failures.append(f"{path} {now} < {before}")
        elif key == "share" and isinstance(now, float) and _harmless(path) and now > before + TOLERANCE:
            failures.append(f"{path} {now} > {before}")
    return failures


def _harmless(path: str) -> bool:
    return any(part in path for part in ("real talk", "benign", "refusal", "clean", "small talk"))


def main() -> int:
    """Print the figures. Check or record them if the options say so."""
    parser = argparse.ArgumentParser(description="Evaluate detection on data that no training has read.")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--check", type=Path, help="fail if figures are worse than those in this file")
    parser.add_argument(
        "--every", type=int, default=1, help="read every Nth line and thread only (default: %(default)s)"
    )
    options = parser.parse_args()
    report = evaluate(step=options.every)
    print("\n".join(lines_of(report)))
    if options.json:
        options.json.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    failures = worse(report, json.loads(options.check.read_text("utf-8"))) if options.check else []
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
