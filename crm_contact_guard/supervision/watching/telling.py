"""Tells compliance officers, but never the reader, about unusual readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.notices import topics
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.rights import unusual_readings

UNUSUAL: Final = "unusual_reading"


def reading_tell(row: UnusualReading) -> None:
    """Tell those who may close it, each of them once."""
    officers = Employee.objects.filter(tenant=row.tenant, role=Role.COMPLIANCE, active=True).exclude(pk=row.reader_id)
    tell(topic=UNUSUAL, subject=("unusual_reading", row.pk), people=officers)


def reading_title(row: UnusualReading) -> str:
    """Return the title in the active language. Needs ``reader`` loaded."""
    names = {"reader": row.reader.name, "what": row.get_sort_display(), "day": date_format(row.day, "DATE_FORMAT")}
    return _("%(reader)s, %(day)s: %(what)s") % names


def _lines(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is None:  # Teams aren't told.
        return {}
    rows = unusual_readings(person).filter(pk__in=ids, state=UnusualReading.State.OPEN).select_related("reader")
    return {
        str(row.pk): Line(
            text=reading_title(row),
            path=reverse("crm_contact_guard:unusual_reading", args=[row.pk]),
            since=row.opened_at,
            details=[(_("Weight:"), str(row.get_severity_display()))],
        )
        for row in rows
    }


topics.register(
    topics.Topic(
        name=UNUSUAL,
        label=gettext_lazy("Unusual reading"),
        many=gettext_lazy("Unusual readings"),
        lines=_lines,
        roles=frozenset({Role.COMPLIANCE}),
    )
)
