"""What the record says of a row, from events that carry it and from those of versions that did not."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from crm_contact_guard.record.following import Entry, Life


def event(kind: str, row: dict[str, Any] | None = None, details: dict[str, Any] | None = None, **more: Any) -> Entry:
    values: dict[str, Any] = {"actor": "", "reason": None, "erased": False, **more}
    told = {"row": row} if row is not None else {}
    return Entry(kind=kind, recorded_at=timezone.now(), data=told, details=details or {}, **values)


def life(*events: Entry) -> Life:
    return Life(events=events, now=timezone.now(), earlier=lambda one: {"status": one.kind})


def test_the_newest_event_that_carries_a_column_counts() -> None:
    told = life(event("opened", {"status": "open", "kind": "a"}), event("claimed", {"status": "claimed"}))

    assert told.open == {"status": "claimed", "kind": "a"}


def test_after_an_event_of_an_earlier_version_only_what_it_says_is_known() -> None:
    """While an upgrade rolls out, old code changes rows that new code made, and does not say all that it changed."""
    told = life(event("opened", {"status": "open", "updated_at": "then"}), event("claimed"))

    assert told.open == {"status": "claimed"}


def test_an_erasure_forgets_personal_columns_until_an_event_carries_them_again() -> None:
    named = event("made", {}, {"row": {"name": "Hanako"}})
    erased = event("changed", {}, erased=True)

    assert life(named).personal == {"name": "Hanako"}
    assert life(named, erased).personal == {}
    assert life(erased, named).personal == {"name": "Hanako"}
