"""Explains which rule decided, for the person who configures working hours."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from crm_contact_guard.policy.working_time.calendar import DayRule, Employee, State
from crm_contact_guard.policy.working_time.case import Case
from crm_contact_guard.policy.working_time.holidays import problem
from crm_contact_guard.policy.working_time.quiet import Side

_RULES = {
    DayRule.LEAVE: "is a day of leave",
    DayRule.ROSTER: "follows the roster, which replaces weekly hours, holidays and closed dates",
    DayRule.OPEN: "is one of the company's open dates, so weekly hours apply",
    DayRule.HOLIDAY: "is a public holiday",
    DayRule.CLOSED: "is one of the company's closed dates",
    DayRule.WEEKLY: "follows the weekly hours",
}
_STATES = {
    State.WORKING: "within a shift",
    State.ON_CALL: "on call",
    State.BREAK: "in a break of a shift; that is not after hours",
    State.LEAVE: "on leave",
    State.HOLIDAY: "outside all shifts, on a public holiday",
    State.CLOSED: "outside all shifts, on a closed date",
    State.OFF: "outside all shifts",
}


def explain(case: Case) -> list[str]:
    """Return sentences that explain the answer, in the order in which the rules apply."""
    found = case.answer()
    return [
        *_day(case.employee, case.sent_at),
        f"At {_local(case.sent_at, case.employee.zone)} the employee is {_STATES[found.state]}.",
        _hours(case.emergency, found.after_hours),
        _quiet(case, found.quiet_ends_at, quick=found.quick_answer, applies=found.quiet_applies),
        f"The {found.first_by} wrote first in this talk."
        + (" A customer who waits keeps a talk open." if found.first_by is Side.CUSTOMER else ""),
        "It can be sent at once."
        if found.earliest_send_at == case.sent_at
        else f"It can be sent from {_local(found.earliest_send_at, case.employee.zone)} on."
        if found.earliest_send_at
        else "Within 400 days there is no minute at which the employee is there and the customer may be disturbed.",
    ]


def _day(employee: Employee, at: datetime) -> list[str]:
    day = at.astimezone(employee.zone).date()
    gaps = [text for code in employee.holidays if (text := problem(code, day.year))]
    return [f"{day.isoformat()} {_RULES[employee.day_rule(day)]}.", *(f"Careful: {text}." for text in gaps)]


def _hours(emergency: bool, after_hours: bool) -> str:
    if emergency:
        return "It is an emergency: neither after hours nor quiet hours apply."
    return "A message now is after hours." if after_hours else "A message now is not after hours."


def _quiet(case: Case, ends_at: datetime | None, *, quick: bool, applies: bool) -> str:
    if case.customer is None:
        return "The customer has no quiet hours."
    if ends_at is None:
        return "The customer is not in quiet hours."
    until = f"The customer is in quiet hours until {_local(ends_at, case.customer.zone)}"
    if applies:
        return f"{until}."
    return f"{until}, but wrote at most 30 minutes ago." if quick else f"{until}."


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"
