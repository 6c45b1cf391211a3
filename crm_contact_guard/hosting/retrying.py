"""Retry schedules: delays, number of attempts, and the lease after which a worker counts as dead.

Each kind of work has one: messages in ``delivery.outbox``, files at the carrier in ``files.media``, notifications in
``supervision.notices``. Questions to the second reader are not retried: their deadline is short.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q


@dataclass(frozen=True, kw_only=True)
class Retry:
    """``waits``: the delay after each failed attempt but the last, in seconds. ``lease``: limit of one attempt."""

    waits: tuple[int, ...]
    lease: timedelta

    @property
    def tries(self) -> int:
        return 1 + len(self.waits)

    def again_at(self, tried: int, now: datetime, *, retry_after: float | None = None) -> datetime | None:
        """The time of the next attempt after ``tried`` attempts; None if there is no further one.

        ``retry_after``: delay in seconds that the other side asked for; honoured up to the longest of ``waits``.
        """
        if tried >= self.tries:
            return None
        return now + timedelta(seconds=max(self.waits[tried - 1], min(retry_after or 0, max(self.waits))))

    def lease_until(self, now: datetime) -> datetime:
        """The end of the lease of a worker that claims a row now."""
        return now + self.lease


def left(now: datetime, *, held: str) -> Q:
    """Rows in the state ``held`` whose lease has expired, because their worker died."""
    return Q(state=held, lease_until__lt=now)


def due(now: datetime, *, waiting: str, held: str) -> Q:
    """Rows that a worker may claim now: those that are due, and those whose lease has expired."""
    return Q(state=waiting, due_at__lte=now) | left(now, held=held)
