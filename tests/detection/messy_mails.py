"""Mails, exports and notes in the formats of real programs, written before the code that splits them.

``messy/*.txt``: a header ``#### id direction attempt form``, then lines marked ``w`` (the writer's words), ``t``
(somebody else's) or ``n`` (nobody's). ``unseen.txt`` was not used while the code was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "messy"


@dataclass(frozen=True)
class Mail:
    """One text with the owner of each line."""

    id: str
    direction: str
    attempt: bool
    lines: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)


def mails(name: str) -> list[Mail]:
    """The mails of one file."""
    found = []
    for block in (FOLDER / f"{name}.txt").read_text("utf-8").split("#### ")[1:]:
        head, *lines = block.split("\n")
        number, direction, attempt, _form = head.split()
        known = tuple((line[0], line[2:]) for line in lines if line)
        found.append(Mail(number, direction, attempt == "yes", known))
    return found


ALL = [*mails("seen"), *mails("unseen")]
