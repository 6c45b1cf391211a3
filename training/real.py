"""Real talk between people, from outside the project: harmless nearly throughout, read in place, never copied.

The sets lie beside the repository (``../shared/corpus/real``; ``CONTACT_GUARD_REAL`` names another folder), see their own
README for sources and licences. Half of the dialogues, by a hash of their name, may be trained on; an eighth fits the last
stage; the rest, and the whole of ``en_banking77``, only measures.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any, Literal

Row = dict[str, Any]
Part = Literal["training", "calibration", "measuring"]
FOLDER = Path(os.environ.get("CONTACT_GUARD_REAL", Path(__file__).parents[2] / "shared" / "corpus" / "real"))
MESSAGES = ("ja_asdc", "ja_realpersonachat", "en_sgd", "en_clinc", "en_banking77")
THREADS = ("ja_asdc", "ja_realpersonachat", "en_sgd")
#: Sets that only measure.
UNSEEN = ("en_banking77",)


def available() -> bool:
    """Whether the sets are there."""
    return all((FOLDER / f"{name}.jsonl").is_file() for name in MESSAGES)


def messages(name: str, part: Part = "training") -> list[Row]:
    """Single messages of one set, of one part."""
    return [row for row in _read(f"{name}.jsonl") if _part(name, _dialogue(row["id"])) == part]


def threads(name: str, part: Part = "training") -> list[Row]:
    """Whole dialogues of one set, of one part."""
    return [row for row in _read(f"{name}.threads.jsonl") if _part(name, row["id"]) == part]


def _dialogue(identifier: str) -> str:
    return ":".join(identifier.split(":")[:2])


def _part(name: str, dialogue: str) -> Part:
    if name in UNSEEN:
        return "measuring"
    drawn = hashlib.md5(dialogue.encode(), usedforsecurity=False).digest()[-1]
    if drawn % 2 == 0:
        return "training"
    return "calibration" if drawn % 8 == 1 else "measuring"


@cache
def _read(name: str) -> list[Row]:
    with (FOLDER / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
