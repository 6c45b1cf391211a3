"""When asking again counts as pressing. Pure: times only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

#: The detector name of a finding for a customer who keeps asking after a refusal.
PRESSING: Final = "policy.pressing"


def presses(
    *, at: datetime, asks: Iterable[datetime], refusals: Iterable[datetime], times: int, pause: timedelta
) -> datetime | None:
    """Return the time of the refusal that the customer doesn't accept by asking again at ``at``; None if they do.

    Someone presses who asks again after a refusal, has asked at least ``times`` times in all, and takes at least
    ``pause`` after the refusal and between asks: what is written within the same minutes is one ask.
    """
    known = sorted(asks, reverse=True)
    for refusal in sorted(refusals):
        if at < refusal + pause:
            return None
        count, last = 1 + any(ask <= refusal for ask in known), at
        for ask in known:
            if refusal + pause <= ask <= last - pause:
                count, last = count + 1, ask
        if count >= times:
            return refusal
    return None
