"""Notices about absences: to whoever stands in, and to both when an absence ends early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.models import Absence, Employee
from crm_contact_guard.notices import listing, topics
from crm_contact_guard.notices.models import Cadence
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line

STANDING_IN: Final = "standing_in"
#: Types of the subjects: that a person will stand in, and that this ended early.
_ENTERED: Final = "absence"
_ENDED: Final = "absence_end"


def entered_tell(absence: Absence) -> None:
    """Tell whoever stands in. Call this in the transaction that enters the absence."""
    tell(topic=STANDING_IN, subject=(_ENTERED, absence.pk), people=[absence.stand_in])


def ended_tell(absence: Absence, *, by: Employee) -> None:
    """Tell both, but not the one who ended it. Call this in the transaction that ends the absence."""
    listing.settled(_ENTERED, absence.pk)
    people = [one for one in (absence.person, absence.stand_in) if one.pk != by.pk]
    tell(topic=STANDING_IN, subject=(_ENDED, absence.pk), people=people)


def _lines(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is None:
        return {}
    mine = Q(person=person) | Q(stand_in=person)
    rows = Absence.objects.filter(mine, pk__in=ids).select_related("person", "stand_in", "entered_by")
    return {str(row.pk): _line(row) for row in rows}


def _line(row: Absence) -> Line:
    names = {"person": row.person.name, "stand_in": row.stand_in.name, "until": _day(row)}
    if row.ends_at <= max(row.starts_at, timezone.now()):
        text = _("%(stand_in)s no longer stands in for %(person)s") % names
    else:
        text = _("%(stand_in)s stands in for %(person)s, until %(until)s") % names
    return Line(text=text, path=reverse("crm_contact_guard:absences"), since=row.starts_at)


def _day(row: Absence) -> str:
    return date_format(timezone.localtime(row.ends_at), "SHORT_DATETIME_FORMAT")


topics.register(
    topics.Topic(
        name=STANDING_IN,
        label=gettext_lazy("Standing in"),
        many=gettext_lazy("Standing in"),
        lines=_lines,
        cadence=Cadence.AT_ONCE,
        may_be_off=False,
        roles=topics.STAFF,
    )
)
