"""The history of an alert as text."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.erase_message import erasures
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_history
from crm_contact_guard.supervision.watching.pseudonyms import Veil

#: Words and icon by kind, and by whether the system did it (None: whoever did it).
_STEPS: dict[tuple[str, bool | None], tuple[str | Promise, str]] = {
    ("alert.opened", None): (gettext_lazy("Opened, addressed to %(to)s"), "bell"),
    ("alert.addressed", None): (gettext_lazy("Addressed to %(to)s"), "bell"),
    ("alert.extended", None): (gettext_lazy("More of the same was found and joined it"), "plus"),
    ("alert.credited", None): (gettext_lazy("The employee declined"), "heart-handshake"),
    ("alert.recurred", None): (gettext_lazy("It happened again, and the alert was opened again"), "history"),
    ("alert.claimed", None): (gettext_lazy("%(name)s is looking at it"), "eye"),
    ("alert.released", None): (gettext_lazy("%(name)s gave it back"), "corner-up-left"),
    ("alert.assigned", None): (gettext_lazy("%(name)s handed it over to %(to)s"), "user-check"),
    ("alert.reminded", None): (gettext_lazy("It is overdue, and somebody was reminded"), "hourglass"),
    ("alert.escalated", True): (gettext_lazy("It was overdue and passed on to %(to)s"), "chevron-up"),
    ("alert.released", True): (gettext_lazy("Whoever had it no longer stands in: it returned to the queue"), "bell"),
    ("alert.escalated", None): (gettext_lazy("%(name)s passed it on to %(to)s"), "chevron-up"),
    ("alert.snoozed", None): (gettext_lazy("%(name)s put it aside"), "clock"),
    ("alert.deferred", None): (gettext_lazy("%(name)s moved it to what can be reviewed later"), "clock"),
    ("alert.woken", False): (gettext_lazy("%(name)s took it back into the queue"), "bell"),
    ("alert.woken", True): (gettext_lazy("It returned to the queue"), "bell"),
    ("alert.closed", False): (gettext_lazy("%(name)s closed it: %(resolution)s"), "circle-check"),
    ("alert.closed", True): (
        gettext_lazy("The second reader, a machine, set it aside: only noticed"),
        "circle-check",
    ),
    ("alert.reopened", None): (gettext_lazy("%(name)s opened it again"), "history"),
}


@dataclass(frozen=True)
class Step:
    """One step in an alert's history. ``words``: its description."""

    event: Event
    words: str
    icon: str


def steps(row: Alert, hidden: Veil | None = None) -> list[Step]:
    """Return the recorded history of an alert, including erasures, oldest first. ``hidden`` hides names in reasons."""
    events = sorted([*alert_history(row), *erasures(row)], key=lambda event: (event.recorded_at, event.pk))
    people = {str(person.pk): person.name for person in Employee.objects.filter(pk__in=_people(events))}
    for event in events:
        if hidden is not None and event.reason:
            event.reason = hidden.text(event.reason)
    return [_step(event, people) for event in events]


def _people(events: list[Event]) -> set[str]:
    named = {event.actor for event in events if event.actor_type == Event.ActorType.EMPLOYEE}
    return named | {str(data["addressee"]) for data in (json.loads(e.data) for e in events) if data.get("addressee")}


def _step(event: Event, people: dict[str, str]) -> Step:
    data = json.loads(event.data)
    by_system = event.actor_type == Event.ActorType.SYSTEM
    words, icon = _STEPS.get((event.kind, by_system)) or _STEPS.get((event.kind, None), (event.kind, "circle-dot"))
    if event.kind == "alert.opened" and not data.get("addressee"):
        words = gettext_lazy("Opened")
    if event.kind == "alert.reopened" and data.get("undone"):
        words = gettext_lazy("%(name)s took the close back")
    if event.kind.startswith("erasure."):
        words, icon = gettext_lazy("%(name)s erased the content of a message"), "trash-2"
    named = {
        "name": people.get(event.actor, ""),
        "to": people.get(str(data.get("addressee")), ""),
        "resolution": dict(Alert.Resolution.choices).get(data.get("resolution", ""), ""),
    }
    return Step(event, str(words) % named, icon)
