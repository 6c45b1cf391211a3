"""Repeats a draw for an auditor, from the record, and says where the sample differs from it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

from crm_contact_guard.record.models import Message
from crm_contact_guard.supervision.models import Finding
from crm_contact_guard.supervision.quality.drawing import judged
from crm_contact_guard.supervision.quality.hashing import is_drawn
from crm_contact_guard.supervision.quality.models import SampleDraw


def redraw(draw: SampleDraw, key: bytes | None = None) -> Iterator[str]:
    """Yield where the draw differs from what its key (or ``key``) selects among the recorded rows.

    A conversation that was warned of before the draw isn't missed in it; nor is an alert that isn't closed any more.
    """
    used = bytes.fromhex(draw.key)
    if key is not None and key != used:
        yield "the key is another than the one that the draw recorded"
    before = SampleDraw.objects.filter(tenant=draw.tenant, ends_at=draw.starts_at).first()
    if before is not None and before.next_key_hash != sha256(used).hexdigest():
        yield f"the draw of {before.period} announced another key"
    said = Message.objects.filter(
        tenant=draw.tenant, source="live", recorded_at__gte=draw.starts_at, recorded_at__lt=draw.ends_at
    )
    talks = set(said.order_by().values_list("conversation_id", flat=True).distinct())
    warned = Finding.objects.filter(
        alert__opened_at__lte=draw.drawn_at,
        message__tenant=draw.tenant,
        message__recorded_at__gte=draw.starts_at,
        message__recorded_at__lt=draw.ends_at,
    )
    excused = set(warned.order_by().values_list("message__conversation_id", flat=True).distinct())
    taken = set(draw.talks.values_list("conversation_id", flat=True))
    drawn = {row for row in talks if is_drawn(used, row, draw.below)}
    yield from _differences("conversation", drawn, taken, excused)
    again = set(draw.second_reviews.values_list("alert_id", flat=True))
    closed = judged(draw.tenant, draw.starts_at, draw.ends_at) | again
    yield from _differences("alert", {row for row in closed if is_drawn(used, row, draw.second_below)}, again, set())


def _differences(what: str, drawn: set[UUID], taken: set[UUID], excused: set[UUID]) -> Iterator[str]:
    for row in sorted(taken - drawn):
        yield f"{what} {row} is in the sample, but isn't drawn"
    for row in sorted(drawn - taken - excused):
        yield f"{what} {row} is drawn, but isn't in the sample"
