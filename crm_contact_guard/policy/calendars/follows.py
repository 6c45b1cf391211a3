"""How the calendars that the app keeps follow from the record."""

from __future__ import annotations

from typing import Final

from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.record.following import BySubject, Elsewhere, Follows, Recorded, follows

_RECORDED: Final = Recorded()

follows(
    Follows(
        model=WorkCalendar,
        events=BySubject(subject="calendar", born=("calendar.created",), more=("calendar.changed",)),
        columns={
            "id": Elsewhere("the events that made the row name it"),
            "tenant": _RECORDED,
            "owner": _RECORDED,
            "source": _RECORDED,
            "calendar": Recorded(personal=True),
            "version": _RECORDED,
            "changed_at": _RECORDED,
            "changed_by_id": _RECORDED,
            "problem": Recorded(personal=True),
        },
    )
)
