"""The course of a consultation as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.consulting.consultations import consultation_history
from crm_contact_guard.supervision.consulting.models import Consultation


@dataclass(frozen=True)
class Step:
    """One step. ``text`` is what was written, "" if nothing was; ``own``: the employee wrote it."""

    event: Event
    words: str
    icon: str
    text: str
    own: bool

    @property
    def erased(self) -> bool:
        return self.event.salt is None


def steps(row: Consultation) -> list[Step]:
    """Return the recorded course of a consultation, oldest first."""
    events = consultation_history(row)
    people = {str(person.pk): person.name for person in Employee.objects.filter(pk__in=_actors(events))}
    return [_step(row, event, people.get(event.actor, "")) for event in events]


def _actors(events: list[Event]) -> set[str]:
    return {event.actor for event in events if event.actor_type == Event.ActorType.EMPLOYEE}


def _step(row: Consultation, event: Event, name: str) -> Step:
    words, icon = _WORDS.get(event.kind, _other)(row, event, name)
    return Step(event, words, icon, event.reason or "", event.actor == str(row.employee_id))


def _opened(row: Consultation, event: Event, name: str) -> tuple[str, str]:
    if not name:
        return _("Opened by itself: %(why)s") % {"why": row.get_origin_display()}, "bell"
    if event.actor == str(row.employee_id):
        return _("%(name)s asked for help") % {"name": name}, "life-buoy"
    return _("%(name)s opened it for %(employee)s") % {"name": name, "employee": row.employee.name}, "life-buoy"


def _added(row: Consultation, event: Event, name: str) -> tuple[str, str]:
    if not name:
        return _("More from the customer was added"), "plus"
    return _("%(name)s added to it") % {"name": name}, "plus"


def _replied(row: Consultation, event: Event, name: str) -> tuple[str, str]:
    if not event.reason and json.loads(event.data).get("follow_up_at"):
        return _("%(name)s set a date to look at it again") % {"name": name}, "calendar"
    return _("%(name)s wrote") % {"name": name}, "message-circle"


def _measure(row: Consultation, event: Event, name: str) -> tuple[str, str]:
    data = json.loads(event.data)
    step = data.get("step", "")
    if step == "handover":
        to = _recipient(data)
        return _("%(name)s handed the customer to %(to)s") % {"name": name, "to": to}, "users"
    words = {
        "police_referral": _("%(name)s turned to the police"),
        "legal_referral": _("%(name)s turned to a lawyer"),
        "lifted": _("%(name)s ended a limit"),
    }
    if step in words:
        return words[step] % {"name": name}, "shield"
    kind = dict(Restriction.Kind.choices).get(step, step)
    return _("%(name)s set a limit: %(kind)s") % {"name": name, "kind": kind}, "shield"


def _recipient(data: dict[str, str]) -> str:
    rows = Employee.objects.filter(pk=data["employee"]) if "employee" in data else Team.objects.filter(pk=data["team"])
    return next(iter(rows.values_list("name", flat=True)), "")


def _due(row: Consultation, event: Event, name: str) -> tuple[str, str]:
    return _("The date to look at it again came"), "calendar"


def _closed(row: Consultation, event: Event, name: str) -> tuple[str, str]:
    result = dict(Consultation.Result.choices).get(json.loads(event.data).get("result", ""), "")
    return _("%(name)s closed it: %(result)s") % {"name": name, "result": result}, "circle-check"


def _other(row: Consultation, event: Event, name: str) -> tuple[str, str]:
    return event.kind, "circle-dot"


_WORDS: dict[str, Callable[[Consultation, Event, str], tuple[str, str]]] = {
    "consultation.opened": _opened,
    "consultation.added": _added,
    "consultation.replied": _replied,
    "consultation.step": _measure,
    "consultation.follow_up_due": _due,
    "consultation.closed": _closed,
}
