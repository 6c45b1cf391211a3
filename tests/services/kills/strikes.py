"""A blow that falls when a certain thing happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.services.kills.carriers import PATIENCE


@dataclass
class Strike:
    """``blow`` falls once: when ``point`` is reached after so many times, or when the round is over."""

    point: str
    after: int
    delay: float
    blow: Callable[[], None]
    fallen: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _begun: bool = False

    def reach(self, point: str) -> None:
        with self._lock:
            if self._begun or point != self.point:
                return
            self.after -= 1
            if self.after >= 0:
                return
            self._begun = True
        self.fallen.wait(self.delay)  # nobody has set it yet: this is how far into its work the victim gets
        self.fall()

    def finish(self) -> None:
        """The round is over: it falls now, if it has not."""
        with self._lock:
            begun, self._begun = self._begun, True
        if not begun:
            self.fall()
        assert self.fallen.wait(PATIENCE)

    def fall(self) -> None:
        try:
            self.blow()
        finally:
            self.fallen.set()
