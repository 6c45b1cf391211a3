"""Honest figures: ``python -m training.evaluate [--json FILE] [--check FILE]``. Deterministic; needs scikit-learn.

Messages: ten folds over all labelled lines, each judged by a ranker that has not seen it (``cv_``); each file judged by a
ranker that has seen nothing of that file (``file_``); the held-out files, judged by one that has seen all else. Threads:
five folds, ranker and thread model both fitted without the thread. Benign talk: the chatterbot corpus (5,885 utterances),
if it is installed. Disguises: the generator of the tests. ``--check`` fails when a figure is below the recorded one by more
than its tolerance.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crm_contact_guard.detection import Direction, scan
from crm_contact_guard.detection import threads as thread_runtime
from crm_contact_guard.detection.engine import THRESHOLD
from training import dataset, smalltalk, train

FOLDS = 10
#: Of kinds with fewer lines than this no share is worth telling.
FEWEST = 5
#: A figure may fall by so much without failing ``--check``: retraining on more lines moves single verdicts.
TOLERANCE = 0.01
Flags = npt.NDArray[np.bool_]


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson)."""
    if not whole:
        return 0.0, 1.0
    share, z = part / whole, 1.96
    centre = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    spread = z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole)) / (1 + z * z / whole)
    return round(centre - spread, 4), round(centre + spread, 4)


def folds(rows: list[dataset.Row], count: int) -> npt.NDArray[np.int64]:
    """A fold for each row, spread evenly over labels and languages, the same every time."""
    seen: dict[tuple[str, str], int] = defaultdict(int)
    made = []
    for row in rows:
        key = (row["label"], row["lang"])
        made.append(seen[key] % count)
        seen[key] += 1
    return np.array(made)


def out_of_fold(rows: list[dataset.Row], threads: list[dataset.Row]) -> Flags:
    """Whether the whole scan flags each row, with a ranker that has not seen it."""
    fold = folds(rows, FOLDS)
    flagged = np.zeros(len(rows), dtype=np.bool_)
    for number in range(FOLDS):
        train.use(train.fit_ranker([row for row, f in zip(rows, fold, strict=True) if f != number], threads), "fold")
        for place in np.flatnonzero(fold == number):
            flagged[place] = scan(rows[place]["text"], direction=rows[place]["direction"]).attempt
    return flagged


def out_of_file(rows: list[dataset.Row], sources: list[str], threads: list[dataset.Row]) -> Flags:
    """The same with a ranker that has not seen the row's whole file: the nearest to writing by strangers."""
    flagged = np.zeros(len(rows), dtype=np.bool_)
    names = np.array(sources)
    for source in dict.fromkeys(sources):
        train.use(train.fit_ranker([row for row, s in zip(rows, sources, strict=True) if s != source], threads), "file")
        for place in np.flatnonzero(names == source):
            flagged[place] = scan(rows[place]["text"], direction=rows[place]["direction"]).attempt
    return flagged


def figures(rows: list[dataset.Row], flagged: Flags) -> dict[str, Any]:
    """Precision, recall, F1 and the shares flagged by label, language and kind, with intervals."""
    attempts = dataset.attempts(rows)
    true = int((flagged & attempts).sum())
    precision = true / max(1, int(flagged.sum()))
    recall = true / max(1, int(attempts.sum()))
    groups: dict[str, list[bool]] = defaultdict(list)
    for row, hit in zip(rows, flagged.tolist(), strict=True):
        groups[row["label"]].append(hit)
        groups[f"{row['label']}:{row['lang']}"].append(hit)
        groups[f"{row['label']}:{row['lang']}:{row.get('kind', '')}"].append(hit)
    return {
        "lines": len(rows),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / max(1e-9, precision + recall), 4),
        "flagged": {
            name: {"share": round(sum(hits) / len(hits), 4), "of": len(hits), "interval": wilson(sum(hits), len(hits))}
            for name, hits in sorted(groups.items())
            if name.count(":") < 2 or len(hits) >= FEWEST
        },
    }


def thread_figures(rows: list[dataset.Row], threads: list[dataset.Row]) -> dict[str, dict[str, Any]]:
    """Figures on threads neither model has seen, for the shared corpus and for all: of the reader, and of supervision,
    which inspects each message when it comes (``live_``)."""
    honest = train.honest_threads(rows, threads)
    reader: dict[int, int | None] = {}
    live: dict[int, int | None] = {}
    for fold in range(train.FOLDS):
        known = [pair for n, thread in enumerate(honest) if n % train.FOLDS != fold for pair in thread.known()]
        fitted = train.fit_threads([point for point, _ in known], [label for _, label in known])
        for n in range(fold, len(threads), train.FOLDS):
            read = fitted.predict_proba(dataset.thread_matrix(honest[n].points))[:, 1] >= thread_runtime.THRESHOLD
            alone = [thread_runtime.speaks_for_itself(score, THRESHOLD) for score in honest[n].scores]
            reader[n] = next((place for place, hit in enumerate(read) if hit), None)
            # The reader is asked from the second message on, about all before it as well.
            live[n] = next(
                (p for p, (r, a) in enumerate(zip(read, alone, strict=True)) if a or (r and len(read) > 1)), None
            )
    corpus = len(dataset.read(dataset.THREADS))
    return {
        "threads_corpus": _thread_score(threads[:corpus], [reader[n] for n in range(corpus)]),
        "threads_all": _thread_score(threads, [reader[n] for n in range(len(threads))]),
        "live_corpus": _thread_score(threads[:corpus], [live[n] for n in range(corpus)]),
        "live_all": _thread_score(threads, [live[n] for n in range(len(threads))]),
    }


def _thread_score(threads: list[dataset.Row], at: list[int | None]) -> dict[str, Any]:
    true = false = side = timely = 0
    attempts = sum(thread["label"] == "attempt" for thread in threads)
    for thread, index in zip(threads, at, strict=True):
        if index is None:
            continue
        if thread["label"] == "attempt":
            true += 1
            side += dataset.side(thread["messages"][index]) == thread["by"]
            timely += index <= thread["evidence_at"] + 1
        else:
            false += 1
    precision, recall = true / max(1, true + false), true / max(1, attempts)
    return {
        "threads": len(threads),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / max(1e-9, precision + recall), 4),
        "clean_flagged": round(false / max(1, len(threads) - attempts), 4),
        "by": round(side / max(1, true), 4),
        "timely": round(timely / max(1, true), 4),
    }


def chatterbot() -> dict[str, Any] | None:
    """Flagged utterances of the chatterbot corpus: all, and the half no training read. ``None`` when not installed."""
    try:
        texts = smalltalk.utterances("english")
    except ImportError:
        return None
    flagged = [text for text in texts if scan(text, direction=Direction.INBOUND).attempt]
    unseen = [text for text in texts if not smalltalk.trained(text)]
    unseen_flagged = [text for text in flagged if not smalltalk.trained(text)]
    return {
        "utterances": len(texts),
        "flagged": len(flagged),
        "unseen": len(unseen),
        "unseen_flagged": len(unseen_flagged),
        "unseen_share": round(len(unseen_flagged) / len(unseen), 5),
        "texts": flagged,
    }


def disguises(each: int = 25) -> dict[str, Any]:
    """Recall over the techniques of the tests' generator: attempts whose identifier is covered."""
    from tests.detection.disguises import covered, samples

    hits: dict[str, list[bool]] = defaultdict(list)
    for technique, text, hidden in samples(7, each):
        hits[technique].append(covered(text, hidden, scan(text, direction=Direction.OUTBOUND)))
    shares = {name: round(sum(found) / len(found), 4) for name, found in hits.items()}
    return {
        "techniques": len(shares),
        "macro_recall": round(sum(shares.values()) / len(shares), 4),
        "below_one": {k: v for k, v in shares.items() if v < 1},
    }


def evaluate(*, quick: bool = False) -> dict[str, Any]:
    """All figures; ``quick`` leaves out those with a whole file left out, which take half of the time."""
    paths = dataset.message_files()
    rows = [row for path in paths for row in dataset.read(path)]
    sources = [path.stem for path in paths for _ in dataset.read(path)]
    threads = [thread for path in dataset.thread_files() for thread in dataset.read(path)]
    report: dict[str, Any] = {"benign_talk": chatterbot(), "disguises": disguises()}
    ways = {"cv": out_of_fold(rows, threads)}
    if not quick:
        ways["file"] = out_of_file(rows, sources, threads)
    for way, flagged in ways.items():
        for source in dict.fromkeys(sources):
            own = [n for n, name in enumerate(sources) if name == source]
            name = "corpus" if source == "messages" else source
            report[f"{way}_{name}"] = figures([rows[n] for n in own], flagged[own])
        report[f"{way}_all"] = figures(rows, flagged)
    train.use(train.fit_ranker(rows, threads), "all")
    for path in dataset.holdout_files():
        held = dataset.read(path)
        report[path.stem] = figures(
            held, np.array([scan(row["text"], direction=row["direction"]).attempt for row in held])
        )
    report.update(thread_figures(rows, threads))
    return report


def summary(report: dict[str, Any]) -> Iterable[str]:
    """One line a part."""
    for name, part in report.items():
        if part is None:
            continue
        shares = part.get("flagged") if isinstance(part.get("flagged"), dict) else None
        line = f"{name:16} " + " ".join(
            f"{key} {value}" for key, value in part.items() if isinstance(value, (int, float))
        )
        if shares:
            line += " | " + " ".join(
                f"{label} {shares[label]['share']} {shares[label]['interval']}"
                for label in ("identifier", "solicit", "refusal", "benign")
                if label in shares
            )
        yield line


def worse(report: dict[str, Any], recorded: dict[str, Any]) -> list[str]:
    """Figures below the recorded ones."""
    found = []
    for name, part in recorded.items():
        if name not in report:
            continue
        for key in ("f1", "macro_recall"):
            if part is not None and key in part and report[name][key] < part[key] - TOLERANCE:
                found.append(f"{name} {key} {report[name][key]} < {part[key]}")
    talk, before = report.get("benign_talk"), recorded.get("benign_talk")
    if talk and before and talk["flagged"] > before["flagged"] + 2:
        found.append(f"benign_talk flagged {talk['flagged']} > {before['flagged']}")
    return found


def main() -> int:
    """Print, and check or record."""
    parser = argparse.ArgumentParser(description="Cross-validated figures of the detection.")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--check", type=Path, help="fail when figures are below those of this file")
    parser.add_argument("--quick", action="store_true", help="without the figures that leave whole files out")
    options = parser.parse_args()
    report = evaluate(quick=options.quick)
    print("\n".join(summary(report)))
    if options.json:
        options.json.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    failures = worse(report, json.loads(options.check.read_text("utf-8"))) if options.check else []
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
