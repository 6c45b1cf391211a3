"""How the columns of restrictions follow from recorded events."""

from __future__ import annotations

from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.record.following import BySubject, Elsewhere, Follows, Recorded, follows

follows(
    Follows(
        model=Restriction,
        events=BySubject(
            subject="restriction",
            born=("restriction.imposed",),
            more=("restriction.lifted", "restriction.told", "restriction.not_told"),
        ),
        columns={
            field.attname: Elsewhere("the events that made the row name it") if field.primary_key else Recorded()
            for field in Restriction._meta.concrete_fields
        },
    )
)
