"""The history of an alert as text."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.erase_message import erasures
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_history


@dataclass(frozen=True)
class Step:
    """One step in an alert's history. ``words``: its description."""

    event: Event
    words: str
    icon: str


def steps(row: Alert) -> list[Step]:
    """Return the recorded history of an alert, including erasures, oldest first."""
    events = sorted([*alert_history(row), *erasures(row)], key=lambda event: (event.recorded_at, event.pk))
    people = {str(person.pk): person.name for person in Employee.objects.filter(pk__in=_people(events))}
    return [_step(event, people) for event in events]


def _people(events: list[Event]) -> set[str]:
    named = {event.actor for event in events if event.actor_type == Event.ActorType.EMPLOYEE}
    return named | {str(data["addressee"]) for data in (json.loads(e.data) for e in events) if data.get("addressee")}


def _step(event: Event, people: dict[str, str]) -> Step:
    data = json.loads(event.data)
    name = people.get(event.actor, "")
    if event.kind in ("alert.opened", "alert.addressed"):
        to = people.get(str(data.get("addressee")), "")
        words = _("Opened, addressed to %(name)s") if event.kind == "alert.opened" else _("Addressed to %(name)s")
        return Step(event, words % {"name": to} if to else _("Opened"), "bell")
    if event.kind == "alert.extended":
        return Step(event, _("More of the same was found and joined it"), "plus")
    if event.kind == "alert.claimed":
        return Step(event, _("%(name)s is looking at it") % {"name": name}, "eye")
    if event.kind == "alert.closed":
        if event.actor_type == Event.ActorType.SYSTEM:
            return Step(event, _("The second reader, a machine, set it aside: only noticed"), "circle-check")
        resolution = dict(Alert.Resolution.choices).get(data.get("resolution", ""), "")
        words = _("%(name)s closed it: %(resolution)s") % {"name": name, "resolution": resolution}
        return Step(event, words, "circle-check")
    if event.kind == "alert.reopened":
        return Step(event, _("%(name)s opened it again") % {"name": name}, "history")
    if event.kind.startswith("erasure."):
        return Step(event, _("%(name)s erased the content of a message") % {"name": name}, "trash-2")
    return Step(event, event.kind, "circle-dot")
