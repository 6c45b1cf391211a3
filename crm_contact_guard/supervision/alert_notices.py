"""Notices about alerts: the topics, what they say, and those to somebody who could not be told at first.

An alert has no addressee if the directory contained no supervisor when it was opened. The sweep calls ``owed_tell``,
which looks for one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard import crm
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.notices import topics
from crm_contact_guard.notices.models import Cadence, Notice
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.handling import deadlines
from crm_contact_guard.supervision.models import Alert, Severity
from crm_contact_guard.supervision.rights import alerts
from crm_contact_guard.supervision.routing import addressee
from crm_contact_guard.supervision.titles import alert_title
from crm_contact_guard.supervision.watching.pseudonyms import veil

ALERT: Final = "alert"
SERIOUS: Final = "alert_serious"
AGAIN: Final = "alert_again"
OVERDUE: Final = "alert_overdue"
OPENED: Final = "alert_opened"
#: Key in the event of an alert opened without an addressee: whoever becomes responsible must still be told.
OWED: Final = "owed"


def alert_tell(alert: Alert, person: Employee, *, not_before: datetime | None = None) -> list[Notice]:
    """Tell a person, and the team's targets, about an alert. Telling them again has no effect.

    An alert that has become serious since is another topic, about which they are told once more.
    """
    return tell(
        topic=SERIOUS if alert.severity == Severity.HIGH else ALERT,
        subject=("alert", alert.pk),
        people=[person],
        not_before=not_before,
        conversation=alert.conversation,
        team=alert.team,
    )


def alert_opened_tell(alert: Alert) -> None:
    """Tell other systems that an alert was opened."""
    tell(topic=OPENED, subject=("alert", alert.pk), people=[], conversation=alert.conversation, team=alert.team)


def alert_tell_again(alert: Alert, person: Employee) -> list[Notice]:
    """Tell a person that an alert was opened again by new evidence. Telling them again has no effect."""
    return tell(
        topic=AGAIN, subject=("alert", alert.pk), people=[person], conversation=alert.conversation, team=alert.team
    )


def alert_tell_overdue(alert: Alert, person: Employee) -> list[Notice]:
    """Tell a person that an alert is overdue, or was passed on for that. Telling them again has no effect."""
    return tell(topic=OVERDUE, subject=("alert", alert.pk), people=[person], conversation=alert.conversation)


def _lines(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    rows = alerts(person) if person is not None else Alert.objects.all()
    found = rows.filter(pk__in=ids).exclude(status=Alert.Status.CLOSED)
    shown = list(found.select_related("conversation__customer", "conversation__employee", "concerned", "team"))
    veil(person, shown)
    return {str(alert.pk): _line(alert) for alert in shown}


def _opened(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is not None:
        return {}
    found = Alert.objects.filter(pk__in=ids).select_related("conversation__customer", "concerned", "team")
    return {str(alert.pk): _line(alert) for alert in found}


def _line(alert: Alert) -> Line:
    details = [
        (_("What it is about:"), str(alert.get_kind_display())),
        (_("Weight:"), str(alert.get_severity_display())),
        (_("Employee:"), alert.concerned.name if alert.concerned is not None else _("nobody yet (team)")),
        (_("Customer:"), alert.conversation.customer.name),
        *([(_("Team:"), alert.team.name)] if alert.team is not None else []),
    ]
    path = reverse("crm_contact_guard:alert", args=[alert.pk])
    return Line(text=alert_title(alert), path=path, since=alert.opened_at, details=details)


_topic = partial(topics.Topic, lines=_lines, is_duty=True, roles=topics.STAFF)
topics.register_event(OPENED, "alert.opened", gettext_lazy("An alert was opened"), _opened)
topics.register(
    _topic(
        name=SERIOUS,
        label=gettext_lazy("A serious alert"),
        many=gettext_lazy("Serious alerts"),
        cadence=Cadence.AT_ONCE,
        urgent=True,
        may_be_off=False,
    ),
    _topic(
        name=ALERT,
        label=gettext_lazy("An alert"),
        many=gettext_lazy("Alerts"),
        cadence=Cadence.FIRST,
        urgent=True,
    ),
    _topic(
        name=AGAIN,
        label=gettext_lazy("An alert that happened again"),
        many=gettext_lazy("Alerts that happened again"),
    ),
    _topic(
        name=OVERDUE,
        label=gettext_lazy("An overdue alert"),
        many=gettext_lazy("Overdue alerts"),
        cadence=Cadence.AT_ONCE,
    ),
)

# --- alerts without an addressee


def alert_address(alert: Alert, person: Employee) -> None:
    """Set the addressee of an alert that was opened when nobody could receive it. Call this in a transaction."""
    alert.addressee = person
    alert.due_at = alert.next_step_at = deadlines.due_at(alert.severity, person, timezone.now())
    alert.save(update_fields=["addressee", "due_at", "next_step_at"])
    record_event(
        kind="alert.addressed",
        subject_type="alert",
        subject_id=alert.pk,
        actor_type=Event.ActorType.SYSTEM,
        conversation=alert.conversation,
        data={"addressee": str(person.pk)},
        row=alert,
    )


def owed_tell(limit: int = 200) -> int:
    """Tell those who have become responsible for an open alert since it was opened. Return the number of alerts."""
    return sum(_address(alert) for alert in _without_addressee(limit))


def _without_addressee(limit: int) -> Iterator[Alert]:
    """Yield some open alerts that were opened without an addressee and still need one."""
    rows = Alert.objects.filter(status=Alert.Status.OPEN, addressee__isnull=True)
    # Choose at random. If nobody can be found for the oldest alerts, newer ones would otherwise never be reached.
    found = {str(alert.pk): alert for alert in rows.order_by("?")[:limit]}
    opened = Event.objects.filter(kind="alert.opened", subject_type="alert", subject_id__in=list(found))
    for event in opened.order_by("pk"):
        if json.loads(event.data).get(OWED):
            yield found[event.subject_id]


@database.atomic()
def _address(found: Alert) -> bool:
    alert = Alert.objects.select_for_update().get(pk=found.pk)
    if alert.status != Alert.Status.OPEN or alert.addressee_id is not None:
        return False
    with crm.tenant(alert.tenant):
        person = addressee(alert.conversation)
    if person is None:
        return False
    alert_address(alert, person)
    return bool(alert_tell(alert, person))
