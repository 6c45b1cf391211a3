"""Further steps with an alert: releasing, assigning, escalating, snoozing, and moving it to the pool "for review".

Each step is recorded. Services raise NotPermitted, AlreadyClosed, AlreadyClaimed or NotPossible (``moving.require``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPossible
from crm_contact_guard.hosting import database
from crm_contact_guard.supervision import routing
from crm_contact_guard.supervision.alert_notices import alert_tell
from crm_contact_guard.supervision.handling.moving import is_repeated, locked, move, move_once, require, reviewed
from crm_contact_guard.supervision.handling.transitions import Action
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import written

Status = Alert.Status

LONGEST_SNOOZE: Final = timedelta(days=90)


@database.atomic()
def alert_release(*, alert_id: UUID, reviewer: Employee) -> Alert:
    """Give up a claim, so that somebody else may claim the alert. Compliance officers may release anybody's."""
    alert = reviewed(alert_id, reviewer)
    if is_repeated(alert, Action.RELEASE, reviewer):
        return alert
    require(alert, Action.RELEASE, reviewer)
    return move(alert, Status.OPEN, kind="alert.released", by=reviewer, data={"claimed_by": str(alert.claimed_by_id)})


@database.atomic()
def alert_assign(*, alert_id: UUID, reviewer: Employee, to: UUID, comment: str = "") -> Alert:
    """Address the alert to somebody who may handle it. Raise InvalidMessage if ``to`` may not."""
    alert = reviewed(alert_id, reviewer)
    require(alert, Action.ASSIGN, reviewer)
    person = next((one for one in routing.assignable(alert) if one.pk == to), None)
    if person is None:
        raise InvalidMessage(_("This person can't be given this alert."), field="to")
    return _addressed(alert, person, "alert.assigned", reviewer, comment)


@database.atomic()
def alert_escalate(*, alert_id: UUID, reviewer: Employee, comment: str = "") -> Alert:
    """Address the alert to the next level: the deputy, then compliance. Raise NotPossible if there is none."""
    alert = reviewed(alert_id, reviewer)
    require(alert, Action.ESCALATE, reviewer)
    person = routing.above(alert)
    if person is None:
        raise NotPossible(_("There is nobody to pass this alert on to."))
    return _addressed(alert, person, "alert.escalated", reviewer, comment)


@database.atomic()
def alert_snooze(*, alert_id: UUID, reviewer: Employee, until: datetime | None) -> Alert:
    """Put the alert aside until a time, or (None) until it happens again. Raise InvalidMessage for an unusable time."""
    alert = reviewed(alert_id, reviewer)
    if until is not None and not timedelta(0) < until - timezone.now() <= LONGEST_SNOOZE:
        message = _("Choose a time in the next %(days)d days.") % {"days": LONGEST_SNOOZE.days}
        raise InvalidMessage(message, field="until")
    require(alert, Action.SNOOZE, reviewer)
    data = {"until": until.isoformat() if until is not None else None}
    return move(alert, Status.SNOOZED, kind="alert.snoozed", by=reviewer, data=data, snoozed_until=until)


@database.atomic()
def alert_defer(*, alert_id: UUID, reviewer: Employee) -> Alert:
    """Move the alert to the pool "for review", which may wait."""
    return move_once(alert_id, Action.DEFER, Status.REVIEW, kind="alert.deferred", by=reviewer)


@database.atomic()
def alert_wake(*, alert_id: UUID, reviewer: Employee) -> Alert:
    """Take the alert back into the day's work from the pool, or before its snooze ends."""
    return move_once(alert_id, Action.WAKE, Status.OPEN, kind="alert.woken", by=reviewer)


def wake_due(limit: int = 200) -> int:
    """Return snoozed alerts whose time has come to the queue. Return how many. May run twice, and concurrently."""
    now = timezone.now()
    due = Alert.objects.filter(status=Status.SNOOZED, snoozed_until__lte=now).order_by("snoozed_until")
    return sum(_wake(key, now) for key in list(due.values_list("pk", flat=True)[:limit]))


@database.atomic()
def _wake(alert_id: UUID, now: datetime) -> bool:
    alert = locked(alert_id)
    if alert.status != Status.SNOOZED or alert.snoozed_until is None or alert.snoozed_until > now:
        return False
    move(alert, Status.OPEN, kind="alert.woken", by=None)
    return True


def _addressed(alert: Alert, person: Employee, kind: str, reviewer: Employee, comment: str) -> Alert:
    before = str(alert.addressee_id) if alert.addressee_id else None
    data = {"addressee": str(person.pk), "before": before}
    reason = written(comment, "comment") or None
    moved = move(alert, Status.OPEN, kind=kind, by=reviewer, data=data, reason=reason, addressee=person)
    if person.pk != reviewer.pk:
        alert_tell(moved, person)
    return moved
