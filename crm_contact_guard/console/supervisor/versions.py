"""Moments as whole microseconds, for versions and cursors in addresses and forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    """Return the microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(number: int) -> datetime:
    """Return the moment for microseconds since 1970. Raise OverflowError if there is none."""
    return _EPOCH + timedelta(microseconds=number)
