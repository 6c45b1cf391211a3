"""How long a retry waits, how many there are, and when the worker that held a row counts as dead.

Each kind of work declares its own beside itself: messages in ``delivery.outbox``, files that carriers keep in
``files.media``, warnings in ``supervision.notices``. Questions to the second reader wait for no retry: their deadline
is short (``supervision.second_reader``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q


@dataclass(frozen=True, kw_only=True)
class Retry:
    """``waits``: the pause after each failed try but the last, in seconds. ``lease``: how long one try may take."""

    waits: tuple[int, ...]
    lease: timedelta

    @property
    def tries(self) -> int:
        return 1 + len(self.waits)

    def again_at(self, tried: int, now: datetime, *, retry_after: float | None = None) -> datetime | None:
        """When to try again after so many tries; None: that was the last.

        ``retry_after``: seconds that the other side asked for. It is not tried earlier, unless it asks for more than
        the longest of our own pauses.
        """
        if tried >= self.tries:
            return None
        return now + timedelta(seconds=max(self.waits[tried - 1], min(retry_after or 0, max(self.waits))))

    def lease_until(self, now: datetime) -> datetime:
        """Until when a row is held by the worker that takes it up now."""
        return now + self.lease


def left(now: datetime, *, held: str) -> Q:
    """Rows in the state ``held`` whose worker is dead: its lease is over."""
    return Q(state=held, lease_until__lt=now)


def due(now: datetime, *, waiting: str, held: str) -> Q:
    """Rows that a worker may take up now: those whose time has come, and those that a dead worker left."""
    return Q(state=waiting, due_at__lte=now) | left(now, held=held)
