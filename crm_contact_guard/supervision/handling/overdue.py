"""What happens to alerts that aren't closed in time: one reminder, then they are passed on once, to the next level.

Each step is taken in the transaction that records it, and a column says which steps have been taken. So each is taken
once, even if this runs twice or concurrently.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from crm_contact_guard import crm
from crm_contact_guard.hosting import database
from crm_contact_guard.supervision import routing
from crm_contact_guard.supervision.alert_notices import alert_tell_overdue
from crm_contact_guard.supervision.handling import deadlines
from crm_contact_guard.supervision.handling.moving import locked, move
from crm_contact_guard.supervision.models import Alert

#: Values of ``Alert.overdue_steps``.
REMINDED: Final = 1
PASSED_ON: Final = 2
_PENDING: Final = (Alert.Status.OPEN, Alert.Status.CLAIMED)


def overdue_steps(limit: int = 200) -> int:
    """Take the next step with each overdue alert. Return how many steps were taken."""
    now = timezone.now()
    due = Alert.objects.filter(status__in=_PENDING, next_step_at__lte=now).order_by("next_step_at")
    return sum(_step(key, now) for key in list(due.values_list("pk", flat=True)[:limit]))


@database.atomic()
def _step(alert_id: UUID, now: datetime) -> bool:
    alert = locked(alert_id)
    if alert.status not in _PENDING or alert.next_step_at is None or alert.next_step_at > now:
        return False
    with crm.tenant(alert.tenant):
        if alert.overdue_steps < REMINDED:
            _remind(alert, now)
        else:
            _pass_on(alert)
    return True


def _remind(alert: Alert, now: datetime) -> None:
    """Remind whoever is looking at it, or its addressee."""
    person = alert.claimed_by or alert.addressee
    moved = move(
        alert,
        Alert.Status(alert.status),
        kind="alert.reminded",
        by=None,
        overdue_steps=REMINDED,
        next_step_at=deadlines.escalates_at(person, now),
    )
    if person is not None:
        alert_tell_overdue(moved, person)


def _pass_on(alert: Alert) -> None:
    """Address the alert to the next level, with a new deadline. A claim ends: whoever had it was reminded."""
    person = routing.above(alert)
    taken: dict[str, Any] = {"overdue_steps": PASSED_ON, "next_step_at": None}
    if person is None:
        move(alert, Alert.Status(alert.status), kind="alert.reminded", by=None, **taken)
        return
    data = {"addressee": str(person.pk), "before": str(alert.addressee_id) if alert.addressee_id else None}
    moved = move(
        alert,
        Alert.Status.OPEN,
        kind="alert.escalated",
        by=None,
        data=data,
        addressee=person,
        **taken,
    )
    alert_tell_overdue(moved, person)
