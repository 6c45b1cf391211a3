"""Who receives an alert: the team's supervisor, the deputy if the alert concerns the supervisor, or else compliance.

An alert stays addressed to a supervisor who is away: whoever stands in is told, sees it and may work on it. It goes to
the next person only if it concerns the stand-in, or if the stand-in is away, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from uuid import UUID

from crm_contact_guard.directory import absences
from crm_contact_guard.directory.models import Employee, Role, Team
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.models import Alert


def addressee(conversation: Conversation) -> Employee | None:
    """Return who receives an alert, or None if there is no eligible supervisor, deputy or compliance officer.

    If all of them are away and have nobody to stand in, it is the first.
    """
    people = list(_in_order(conversation, conversation.employee_id))
    return next(_reachable(people, conversation.employee_id), people[0] if people else None)


def assignable(alert: Alert) -> list[Employee]:
    """Return who may be asked to handle the alert: supervisor, deputy and compliance, without the one it concerns."""
    return list(_in_order(alert.conversation, alert.concerned_id))


def above(alert: Alert) -> Employee | None:
    """Return whom the alert is escalated to: the next after its addressee, or None if compliance has it."""
    people = assignable(alert)
    places = [place for place, person in enumerate(people) if person.pk == alert.addressee_id]
    if places and people[places[0]].role == Role.COMPLIANCE:
        return None
    following = people[places[0] + 1 :] if places else people
    return next(_reachable(following, alert.concerned_id), following[0] if following else None)


def _reachable(people: Sequence[Employee], concerned_id: UUID | None) -> Iterator[Employee]:
    """Yield those who are there, or have somebody else than the person concerned to stand in."""
    away = absences.away(people)
    for person in people:
        if person.pk not in away or ((one := away[person.pk]) is not None and one.pk != concerned_id):
            yield person


def team_of(conversation: Conversation) -> Team | None:
    """Return the conversation's team. If it started before the directory had any, the one it would get today."""
    if conversation.team is not None:
        return conversation.team
    employee = conversation.employee
    return (employee.teams.first() if employee is not None else None) or conversation.customer.team


def _in_order(conversation: Conversation, concerned_id: UUID | None) -> Iterator[Employee]:
    team = team_of(conversation)
    named = [person for person in (team.supervisor, team.deputy) if person is not None] if team is not None else []
    officers = Employee.objects.filter(tenant=conversation.tenant, role=Role.COMPLIANCE, active=True)
    seen = {concerned_id}
    for person in chain((one for one in named if one.active), officers):
        if person.pk not in seen:
            seen.add(person.pk)
            yield person
