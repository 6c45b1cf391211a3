"""Moves an alert from one state to another, as the table of transitions allows, and records the step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import AlreadyClaimed, AlreadyClosed, NotPermitted, NotPossible
from crm_contact_guard.notices import listing
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.handling import deadlines
from crm_contact_guard.supervision.handling.transitions import REPEATED, TRANSITIONS, Action, Actor
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.rights import may_review

#: Columns that an alert loses in every state but the one that sets them.
_UNCLAIMED: Mapping[str, Any] = {"claimed_by": None, "claimed_at": None}
_AWAKE: Mapping[str, Any] = {"snoozed_until": None}


def reviewed(alert_id: UUID, person: Employee) -> Alert:
    """Return the alert, locked. Call this in a transaction. Raise NotPermitted if the person may not work on it."""
    alert = locked(alert_id)
    if not may_review(person, alert):
        raise NotPermitted(_("You can't work on this alert."))
    return alert


def locked(alert_id: UUID) -> Alert:
    """Return the alert, locked. Its conversation is locked first, as inspection does, to avoid deadlocks."""
    conversation = Alert.objects.values_list("conversation_id", flat=True).get(pk=alert_id)
    Conversation.objects.select_for_update().get(pk=conversation)
    return Alert.objects.select_for_update().get(pk=alert_id)


def actor_of(alert: Alert, person: Employee) -> Actor:
    """Return how a person who may review the alert is related to it."""
    if alert.status == Alert.Status.CLAIMED and alert.claimed_by_id == person.pk:
        return Actor.HOLDER
    return Actor.OFFICER if person.role == Role.COMPLIANCE else Actor.REVIEWER


def is_repeated(alert: Alert, action: Action, person: Employee) -> bool:
    """Whether the action has been carried out already."""
    return actor_of(alert, person) in REPEATED.get((action, Alert.Status(alert.status)), ())


def require(alert: Alert, action: Action, person: Employee) -> Alert.Status | None:
    """Return the state that the action leads to.

    Raise AlreadyClosed, AlreadyClaimed (with who claimed it, and when) or NotPossible if the table forbids the action.
    """
    status = Alert.Status(alert.status)
    transition = TRANSITIONS.get((action, status))
    if transition is not None and actor_of(alert, person) in transition.actors:
        return transition.to
    if status == Alert.Status.CLOSED:
        raise AlreadyClosed(_("This alert is already closed."))
    if status == Alert.Status.CLAIMED and alert.claimed_by_id != person.pk:
        raise AlreadyClaimed(by=alert.claimed_by.name if alert.claimed_by else "", at=alert.claimed_at)
    raise NotPossible(_("This isn't possible now. Look at the alert again."))


def move_once(alert_id: UUID, action: Action, to: Alert.Status, *, kind: str, by: Employee, **changes: Any) -> Alert:
    """Carry out an action that needs no further checks, unless it has been carried out already.

    Call this in a transaction. Raise NotPermitted, or as ``require`` does.
    """
    alert = reviewed(alert_id, by)
    if is_repeated(alert, action, by):
        return alert
    require(alert, action, by)
    return move(alert, to, kind=kind, by=by, **changes)


def move(
    alert: Alert,
    to: Alert.Status,
    *,
    kind: str,
    by: Employee | None,
    data: Mapping[str, object] | None = None,
    reason: str | None = None,
    details: Mapping[str, object] | None = None,
    **changes: Any,
) -> Alert:
    """Write the new state and record the step as event ``kind``. ``by`` is None for the system.

    The update is conditional, so that the row count decides even if a caller didn't lock the alert. Raise NotPossible
    if somebody else changed the alert first.
    """
    values = {
        "status": to,
        **(_UNCLAIMED if to not in (Alert.Status.CLAIMED, Alert.Status.CLOSED) else {}),
        **_AWAKE,
        **_deadline(alert, to, changes),
        "updated_at": _later(alert.updated_at),
        **changes,
    }
    claimed = {"claimed_by": alert.claimed_by_id} if alert.claimed_by_id else {"claimed_by__isnull": True}
    if not Alert.objects.filter(pk=alert.pk, status=alert.status, **claimed).update(**values):
        raise NotPossible(_("This isn't possible now. Look at the alert again."))
    data = {"was": alert.status, **(data or {})}
    alert.refresh_from_db()
    record_event(
        kind=kind,
        subject_type="alert",
        subject_id=alert.pk,
        by=by,
        conversation=alert.conversation,
        data=data,
        reason=reason,
        details=details,
        row=alert,
    )
    if to == Alert.Status.CLOSED:
        listing.settled("alert", alert.pk)
    return alert


def _deadline(alert: Alert, to: Alert.Status, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the deadline. It begins anew for a new addressee, and if the alert returns to the queue."""
    if to == Alert.Status.CLOSED:
        return {"next_step_at": None}
    if to in (Alert.Status.REVIEW, Alert.Status.SNOOZED):
        return {"due_at": None, "next_step_at": None, "overdue_steps": 0}
    if alert.status in (Alert.Status.OPEN, Alert.Status.CLAIMED) and "addressee" not in changes:
        return {}
    due_at = deadlines.due_at(alert.severity, changes.get("addressee", alert.addressee), timezone.now())
    return {"due_at": due_at, "next_step_at": due_at, "overdue_steps": 0}


def _later(before: datetime) -> datetime:
    # Open pages ask for what is newer than they are, even if a clock was set back.
    return max(timezone.now(), before)
