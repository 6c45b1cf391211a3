"""What the pages about working time show: days as they are calculated, and entries in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.policy.working_time.calendar import DayRule
from crm_contact_guard.policy.working_time.clock import Interval

_DAYS: Final = 28
_RULES: Final[Mapping[DayRule, Any]] = {
    DayRule.LEAVE: gettext_lazy("Leave"),
    DayRule.ROSTER: gettext_lazy("Roster"),
    DayRule.OPEN: gettext_lazy("Open date"),
    DayRule.HOLIDAY: gettext_lazy("Public holiday"),
    DayRule.CLOSED: gettext_lazy("Closed date"),
    DayRule.WEEKLY: gettext_lazy("Weekly hours"),
}
_KINDS: Final[Mapping[str, Any]] = {
    "roster": gettext_lazy("Roster"),
    "leave": gettext_lazy("Leave"),
    "leave_parts": gettext_lazy("Leave for part of a day"),
    "on_call": gettext_lazy("On call"),
    "open": gettext_lazy("Open date"),
    "closed": gettext_lazy("Closed date"),
}


@dataclass(frozen=True)
class Day:
    """One day: the rule that determines it, and times like "09:00–18:00" by the employee's clock."""

    day: date
    rule: str
    work: Sequence[str]
    on_call: Sequence[str]
    is_today: bool


@dataclass(frozen=True)
class Week:
    """Seven days, beginning with today's weekday."""

    days: Sequence[Day]


@dataclass(frozen=True)
class Entry:
    """One entry of a calendar. ``number`` counts the entries of its kind from 0."""

    kind: str
    label: str
    words: str
    number: int


def weeks_of(owner: Employee) -> tuple[Sequence[Week], str]:
    """Return the next four weeks as they are calculated; none, and why, if they can't be."""
    try:
        found = hours.working_time_of(owner)
        today = timezone.now().astimezone(found.zone).date()
        with hours.unknown_calendars_named():
            calculated = [found.shown_day(today + timedelta(days=step)) for step in range(_DAYS)]
    except ConfigurationError as error:
        return (), str(error)
    days = [
        Day(
            day=one.day,
            rule=str(_RULES[one.rule]),
            work=_times(one.work, found.zone),
            on_call=_times(one.on_call, found.zone),
            is_today=one.day == today,
        )
        for one in calculated
    ]
    return [Week(days[at : at + 7]) for at in range(0, _DAYS, 7)], ""


def problem_of(owner: Employee | None) -> str:
    """Return what is wrong with the sources of an employee's working time; empty if nothing is."""
    if owner is None:
        return ""
    if owner.timezone and hours.zone(owner).key != owner.timezone:
        return _("The CRM gives a time zone that doesn't exist: %(zone)s. %(other)s is used instead.") % {
            "zone": owner.timezone,
            "other": hours.zone(owner).key,
        }
    rows = WorkCalendar.objects.filter(tenant=owner.tenant, owner=str(owner.pk)).exclude(problem="")
    row = rows.first()
    if row is None:
        return ""
    return _("The iCalendar file can't be read, so the earlier one applies: %(problem)s") % {"problem": row.problem}


def entries_of(calendar: Mapping[str, Any], kinds: Iterable[str]) -> list[Entry]:
    """Return a calendar's entries in words."""
    return [
        Entry(kind, str(_KINDS[kind]), _words(kind, entry), number)
        for kind in kinds
        for number, entry in enumerate(calendar.get(kind, []))
    ]


def _words(kind: str, entry: Any) -> str:
    if kind == "roster":
        spans = {"–".join(span) for day in entry["days"].values() for span in day}
        period = _period(entry["from"], entry["to"])
        return f"{period} · {', '.join(sorted(spans)) or _('off')}"
    if kind in ("leave", "on_call"):
        return _period(*(text.replace("T", " ") for text in entry))
    return f"{entry[0]} {entry[1]}–{entry[2]}" if kind == "leave_parts" else str(entry)


def _period(first: str, last: str) -> str:
    return first if first == last else f"{first} – {last}"


def _times(intervals: Iterable[Interval], zone: ZoneInfo) -> list[str]:
    pairs = [(f"{one.start.astimezone(zone):%H:%M}", f"{one.end.astimezone(zone):%H:%M}") for one in intervals]
    return [f"{start}–{'24:00' if end == '00:00' else end}" for start, end in pairs]
