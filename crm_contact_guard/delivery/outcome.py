"""Derive a delivery's state from its events, in the same way as ``outbox`` updates it when it records them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from crm_contact_guard.delivery.outbox import ORDER
from crm_contact_guard.delivery.waits import WORDS as WAITS
from crm_contact_guard.record.following import Entry

#: Two events (one from a worker and one from the carrier) this close together may have taken effect in reverse order.
_TOGETHER: Final = timedelta(seconds=2)


@dataclass(kw_only=True)
class Outcome:
    """The columns of a delivery that its events determine. ``last_error`` is None if it was erased."""

    state: str = "queued"
    attempts: int = 0
    unfinished: int = 0
    carrier_id: str = ""
    last_error: str | None = ""


def outcomes(events: Sequence[Entry]) -> list[Outcome]:
    """Return the outcome of the events in their order, then the outcomes with two adjacent events swapped.

    Only events of different kinds that are close together are swapped.
    """
    found = [_outcome(events)]
    for at in range(1, len(events)):
        before, after = events[at - 1 : at + 1]
        if after.recorded_at - before.recorded_at < _TOGETHER and after.kind != before.kind:
            found.append(_outcome([*events[: at - 1], after, before, *events[at + 1 :]]))
    return found


def _outcome(events: Sequence[Entry]) -> Outcome:
    row = Outcome()
    for event in events:
        _take(row, event, event.kind.removeprefix("delivery."))
    return row


def _take(row: Outcome, event: Entry, word: str) -> None:
    data = event.data
    if word in WAITS:
        row.state = WAITS[word]
    elif word == "attempted":
        row.unfinished += row.state == "sending"  # its worker died
        row.state, row.attempts = "sending", data.get("attempt", row.attempts + 1)
    elif word == "uncertain":
        if row.state in ("queued", "sending"):
            row.unfinished += row.state == "sending"
            row.state = "uncertain"
    elif word == "failed" and "attempt" in data:
        if row.state == "sending":
            row.unfinished += bool(data.get("uncertain"))
            row.state = "queued" if not data.get("final") else "uncertain" if row.unfinished else "failed"
            row.last_error = None if event.erased else str(event.details.get("error", ""))[:500]
    elif word in ORDER and row.state in ORDER:
        row.carrier_id = data.get("carrier_id", row.carrier_id)[:255] or row.carrier_id or data.get("named", "")
        if ORDER.index(row.state) < ORDER.index(word) or (word == "failed" and row.state == "sent"):
            row.state, row.last_error = word, ""
