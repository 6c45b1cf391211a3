"""The filter of an export in words."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.exporting.forms import customer_name
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Direction, MessageKind


def words(texts: dict[str, str], always: str = "") -> list[str]:
    """Return a filter in words. ``always``: what an empty filter means."""
    days = [_day(texts.get("occurred_from")), _day(texts.get("occurred_before"))]
    told = []
    if any(days):
        told.append(_("%(first)s to before %(last)s") % {"first": days[0] or "…", "last": days[1] or "…"})
    if "customer" in texts:
        told.append(customer_name(UUID(texts["customer"])))
    if "employee" in texts:
        told.append(Employee.objects.values_list("name", flat=True).filter(pk=texts["employee"]).first() or "—")
    for name, known in (("direction", Direction), ("kind", MessageKind)):
        if name in texts:
            told.append(str(known(texts[name]).label))
    if "channel" in texts:
        told.append(str(channel_choices.label(texts["channel"])))
    if "case" in texts:
        told.append(_("One case"))
    if "conversation" in texts:
        told.append(_("One conversation"))
    return told or [always or _("The whole record")]


def _day(text: str | None) -> str:
    moment = parse_datetime(text) if text else None
    return date_format(timezone.localtime(moment), "SHORT_DATE_FORMAT") if moment else ""
