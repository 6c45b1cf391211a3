"""Real conversations from outside the project, nearly all of them harmless. They are read in place and never copied.

The data sets are next to the repository, in ``../shared/corpus/real``, unless ``CONTACT_GUARD_REAL`` sets another
folder. Their README lists sources and licences. Half of the dialogues, selected by a hash of their name, may be used
for training, and an eighth for fitting the last stage. The rest, and all of ``en_banking77``, is used only for
measuring.
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
#: Data sets that are used only for measuring.
UNSEEN = ("en_banking77",)


def available() -> bool:
    """Whether the data sets are available."""
    return all((FOLDER / f"{name}.jsonl").is_file() for name in MESSAGES)


def messages(name: str, part: Part = "training") -> list[Row]:
    """Return the single messages in one part of a data set."""
    return [row for row in _read(f"{name}.jsonl") if _part(name, _dialogue(row["id"])) == part]


def threads(name: str, part: Part = "training") -> list[Row]:
    """Return the whole dialogues in one part of a data set."""
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
