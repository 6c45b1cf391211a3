"""What checking a bundle found, in words."""

from dataclasses import dataclass, field
from typing import Final

from .canonical import RowKind
from .manifest import Manifest
from .notes import Checkpoint, VerifierKey

__all__ = ["Fault", "Report", "printable"]

_FAULTS_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not hold: the file, row or leaf, and why."""

    where: str
    why: str

    def __str__(self) -> str:
        return printable(f"{self.where}: {self.why}")


def printable(text: str) -> str:
    """``text`` on one line and without what moves a terminal's cursor: a forger chooses ids and names."""
    return "".join([one if one.isprintable() else ascii(one)[1:-1] for one in text])


@dataclass(slots=True)
class Report:
    """What was found: the first thousand ``faults``, ``fault_count`` of all, and what was covered."""

    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    pinned: bool = False
    signers: tuple[VerifierKey, ...] = ()
    manifest: Manifest | None = None
    checkpoint: Checkpoint | None = None
    since: Checkpoint | None = None
    rows: dict[RowKind, int] = field(default_factory=lambda: {"message": 0, "event": 0})
    #: Listed files that no leaf speaks of: whoever signed the bundle vouches for them, and nothing else does.
    unproven: list[str] = field(default_factory=list)
    withheld: int = 0
    hidden: int = 0

    @property
    def holds(self) -> bool:
        """Whether all holds."""
        return not self.fault_count

    def add(self, where: str, why: str) -> None:
        """Note a fault."""
        self.fault_count += 1
        if len(self.faults) < _FAULTS_KEPT:
            self.faults.append(Fault(where, why))
