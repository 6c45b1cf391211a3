"""Whether somebody answers in a conversation at a given time, and when somebody will."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.working_time.calendar import State
from crm_contact_guard.record.models import Conversation

#: Number of a team's members whose hours are read.
_MOST = 200


@dataclass(frozen=True)
class Closed:
    """A closing period. ``opens_at`` (aware) is None if nobody works within ``working_time.calendar.HORIZON`` days."""

    opens_at: datetime | None

    def period(self, at: datetime) -> str:
        """Return a name of the period that ``at`` belongs to. If its end is unknown, each week counts as one."""
        if self.opens_at is not None:
            return self.opens_at.isoformat()
        year, week, _day = at.isocalendar()
        return f"{year}-W{week:02}"


def closed(conversation: Conversation, at: datetime) -> Closed | None:
    """Return the closing period at ``at`` (aware), or None if somebody who answers in the conversation is at work.

    These are its employee and the members of its team; the company's hours count if there is neither. On-call duty and
    breaks count as work. Raise ConfigurationError for an invalid calendar.
    """
    calendars = [hours.working_time_of(person) for person in _answering(conversation)]
    with hours.unknown_calendars_named():
        if any(not calendar.state(at).is_after_hours for calendar in calendars):
            return None
        openings = [opening for calendar in calendars if (opening := calendar.next_open(at)) is not None]
    return Closed(min(openings, default=None))


def on_call(conversation: Conversation, at: datetime) -> list[Employee]:
    """Return those who answer in the conversation and are on call at ``at`` (aware). Raise ConfigurationError."""
    with hours.unknown_calendars_named():
        return [
            person
            for person in _answering(conversation)
            if not person._state.adding and hours.working_time_of(person).state(at) is State.ON_CALL
        ]


def _answering(conversation: Conversation) -> list[Employee]:
    people = {}
    if conversation.employee is not None and conversation.employee.active:
        people[conversation.employee.pk] = conversation.employee
    if conversation.team is not None:
        members = Employee.objects.filter(teams=conversation.team, active=True).exclude(role=Role.AUDITOR)
        people.update({member.pk: member for member in members[:_MOST]})
    return list(people.values()) or [Employee()]
