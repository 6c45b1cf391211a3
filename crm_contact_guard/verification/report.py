"""The result of a verification."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from crm_contact_guard.proof.bundle import Fault
from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.proof.notes import Checkpoint, VerifierKey

_KEPT: Final = 1000


@dataclass(slots=True)
class Report:
    """The first thousand ``faults``, the number of all faults, and what was checked."""

    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    #: Called with each fault when it is found.
    on_fault: Callable[[Fault], None] = lambda fault: None
    #: Called with the number of leaves checked and the size of the tree.
    on_progress: Callable[[int, int], None] = lambda done, size: None
    checkpoint: Checkpoint | None = None
    signers: dict[VerifierKey, int] = field(default_factory=dict)
    rows: dict[RowKind, int] = field(default_factory=lambda: {"message": 0, "event": 0})
    erased: int = 0
    pending: int = 0
    #: Name and size of each older checkpoint that the record was compared with.
    witnessed: list[tuple[str, int]] = field(default_factory=list)
    #: Name and effect of each thing that isn't a fault but should be known.
    notes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether no fault was found."""
        return not self.fault_count

    def add(self, where: str, why: str) -> None:
        """Add a fault."""
        fault = Fault(where, why)
        self.fault_count += 1
        if len(self.faults) < _KEPT:
            self.faults.append(fault)
        self.on_fault(fault)
