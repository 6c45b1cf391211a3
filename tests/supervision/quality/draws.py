"""A week's draw without anything in it, to which a test adds rows."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from crm_contact_guard.supervision.quality.hashing import bound_of
from crm_contact_guard.supervision.quality.models import SampleDraw


def drawn(*, tenant: str) -> SampleDraw:
    """A draw of the last seven days in which every row is drawn."""
    now = timezone.now()
    return SampleDraw.objects.create(
        tenant=tenant,
        period="2026-W01",
        starts_at=now - timedelta(days=7),
        ends_at=now + timedelta(minutes=1),
        drawn_at=now,
        key="00" * 32,
        next_key_hash="00" * 32,
        below=bound_of(1),
        frame=1,
        drawn=1,
        second_below=bound_of(1),
        second_frame=1,
        second_drawn=1,
    )
