"""Figures of the harassment detector: ``python -m training.evaluate_harassment``.

Precision, recall and F1 by language with 95 % Wilson intervals, recall by category, on the holdout and on the training
lines (a fit, not a measure); benign messages flagged in the corpus and, where it is installed, in chatterbot-corpus.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crm_contact_guard.detection.harassment import find
from crm_contact_guard.detection.normalise import normalise
from crm_contact_guard.detection.types import Company, Direction

HERE = Path(__file__).parent
COMPANY = Company()


def flagged(text: str, direction: str = "inbound") -> bool:
    """Whether a text is called harassment."""
    return bool(list(find(normalise(text), Direction(direction), COMPANY)))


def wilson(hits: int, of: int) -> str:
    """A share and its 95 % Wilson interval."""
    if not of:
        return "–"
    share, z = hits / of, 1.96
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{share:.3f} [{max(0.0, middle - half):.3f}–{min(1.0, middle + half):.3f}]"


def report(name: str) -> None:
    """Print the figures of one labelled file."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in (HERE / "data" / name).read_text("utf-8").splitlines()]
    verdicts = [(row, flagged(row["text"], row["direction"])) for row in rows]
    print(f"{name}: {len(rows)} lines")
    for language in ("ja", "en", "all"):
        own = [(row["label"] == "harassment", found) for row, found in verdicts if language in (row["lang"], "all")]
        true = sum(meant and found for meant, found in own)
        precision, recall = wilson(true, sum(found for _, found in own)), wilson(true, sum(meant for meant, _ in own))
        f1 = 2 * true / (sum(found for _, found in own) + sum(meant for meant, _ in own))
        fair = wilson(sum(found and not meant for meant, found in own), sum(not meant for meant, _ in own))
        print(f"  {language:3} precision {precision}  recall {recall}  F1 {f1:.3f}  fair flagged {fair}")
    meant = Counter(row["kind"] for row, _ in verdicts if row["label"] == "harassment")
    found = Counter(row["kind"] for row, hit in verdicts if row["label"] == "harassment" and hit)
    print("  recall by category: " + ", ".join(f"{kind} {found[kind]}/{count}" for kind, count in meant.most_common()))


def quiet(name: str, texts: Iterable[str]) -> None:
    """Print how many of these texts, harmless ones all, are flagged."""
    verdicts = [flagged(text) for text in texts]
    print(f"{name}: {sum(verdicts)} of {len(verdicts)} flagged ({sum(verdicts) / len(verdicts):.2%})")


def main() -> None:
    """Print all figures."""
    report("harassment_holdout.jsonl")
    report("harassment.jsonl")
    corpus = (HERE / "corpus" / "messages.jsonl").read_text("utf-8").splitlines()
    quiet("corpus, read as inbound", (json.loads(line)["text"] for line in corpus))
    chatter = find_spec("chatterbot_corpus")
    if chatter and chatter.submodule_search_locations:
        import yaml

        folder = Path(next(iter(chatter.submodule_search_locations))) / "data"
        files = sorted([*folder.glob("english/*.yml"), *folder.glob("japanese/*.yml")])
        talks = [talk for file in files for talk in yaml.safe_load(file.read_text("utf-8"))["conversations"]]
        quiet("chatterbot-corpus, English and Japanese", (str(said) for talk in talks for said in talk))


if __name__ == "__main__":
    main()
