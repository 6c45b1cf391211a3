"""The result of verifying a bundle."""

from dataclasses import dataclass, field
from typing import Final

from .canonical import RowKind
from .manifest import Manifest
from .notes import Checkpoint, VerifierKey

__all__ = ["Fault", "Report", "printable"]

_FAULTS_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: the file, row or leaf, and the reason."""

    where: str
    why: str

    def __str__(self) -> str:
        return printable(f"{self.where}: {self.why}")


def printable(text: str) -> str:
    """Escape the control characters in ``text``, since a forged ID or name could manipulate the terminal."""
    return "".join([character if character.isprintable() else ascii(character)[1:-1] for character in text])


@dataclass(slots=True)
class Report:
    """The first thousand ``faults``, the number of all faults, and what was checked."""

    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    pinned: bool = False
    signers: tuple[VerifierKey, ...] = ()
    manifest: Manifest | None = None
    checkpoint: Checkpoint | None = None
    since: Checkpoint | None = None
    rows: dict[RowKind, int] = field(default_factory=lambda: {"message": 0, "event": 0})
    #: Listed files that no leaf covers, so that only the bundle's signature vouches for them.
    unproven: list[str] = field(default_factory=list)
    withheld: int = 0
    files_withheld: int = 0
    hidden: int = 0

    @property
    def holds(self) -> bool:
        """Whether no fault was found."""
        return not self.fault_count

    @property
    def verdict(self) -> str:
        """The result in one sentence, including everything that the bundle does not show or prove."""
        if not self.holds:
            return f"{self.fault_count} do not hold."
        counts = {
            "personal values withheld or erased": self.withheld,
            "files withheld": self.files_withheld,
            "files that no leaf proves": len(self.unproven),
            "leaves of the record not in the bundle": self.hidden,
        }
        missing = [f"{count} {what}" for what, count in counts.items() if count]
        if not self.pinned:
            missing.append("the key came with the bundle")
        return f"What is shown holds. Not shown or not proven: {'; '.join(missing)}." if missing else "All holds."

    def add(self, where: str, why: str) -> None:
        """Add a fault."""
        self.fault_count += 1
        if len(self.faults) < _FAULTS_KEPT:
            self.faults.append(Fault(where, why))
