"""How the columns of consultations follow from recorded events."""

from __future__ import annotations

from typing import Final

from crm_contact_guard.record.following import BySubject, Elsewhere, Follows, Recorded, follows
from crm_contact_guard.supervision.consulting import telling  # noqa: F401 - registers the topic of notices
from crm_contact_guard.supervision.consulting.models import Consultation

_KEY: Final = Elsewhere("the events that made the row name it")
_STEPS: Final = ("added", "replied", "step", "follow_up_due", "closed")

follows(
    Follows(
        model=Consultation,
        events=BySubject(
            subject="consultation",
            born=("consultation.opened",),
            more=tuple(f"consultation.{step}" for step in _STEPS),
        ),
        columns={
            field.attname: _KEY if field.primary_key else Recorded() for field in Consultation._meta.concrete_fields
        },
    )
)
