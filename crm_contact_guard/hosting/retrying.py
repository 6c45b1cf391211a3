"""Retry schedules: delays, number of attempts, and the lease after which a worker counts as dead.

Each kind of work has its own schedule: ``delivery.outbox`` for messages, ``files.media`` for files at the carrier and
``notices.outbox`` for notices. Questions to the second reader are not retried, because their deadline is
short.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q


@dataclass(frozen=True, kw_only=True)
class Retry:
    """A retry schedule.

    ``waits`` are the delays after each failed attempt except the last, in seconds. ``lease`` is the time limit for one
    attempt.
    """

    waits: tuple[int, ...]
    lease: timedelta

    @property
    def tries(self) -> int:
        return 1 + len(self.waits)

    def again_at(self, tried: int, now: datetime, *, retry_after: float | None = None) -> datetime | None:
        """Return the time of the next attempt after ``tried`` attempts, or None if there are no more attempts.

        ``retry_after`` is the delay in seconds that the other side requested. It is honoured up to the longest of
        ``waits``.
        """
        if tried >= self.tries:
            return None
        return now + timedelta(seconds=max(self.waits[tried - 1], min(retry_after or 0, max(self.waits))))

    def lease_until(self, now: datetime) -> datetime:
        """Return when the lease ends for a worker that claims a row now."""
        return now + self.lease


def left(now: datetime, *, held: str) -> Q:
    """Return a filter for rows in the state ``held`` whose lease has expired because their worker died."""
    return Q(state=held, lease_until__lt=now)


def due(now: datetime, *, waiting: str, held: str) -> Q:
    """Return a filter for rows that a worker may claim now: those that are due, and those with an expired lease."""
    return Q(state=waiting, due_at__lte=now) | left(now, held=held)
