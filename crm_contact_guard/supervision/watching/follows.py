"""How the columns of unusual readings follow from recorded events."""

from __future__ import annotations

from crm_contact_guard.record.following import BySubject, Elsewhere, Follows, Recorded, follows
from crm_contact_guard.supervision.watching import telling, unmasking  # noqa: F401 - register their topics of notices
from crm_contact_guard.supervision.watching.models import UnusualReading

follows(
    Follows(
        model=UnusualReading,
        events=BySubject(
            subject="unusual_reading",
            born=("unusual_reading.found",),
            more=("unusual_reading.extended", "unusual_reading.recurred", "unusual_reading.closed"),
        ),
        columns={
            field.attname: Elsewhere("the events that made the row name it") if field.primary_key else Recorded()
            for field in UnusualReading._meta.concrete_fields
        },
    )
)
