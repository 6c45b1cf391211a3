"""Actions on alerts: claiming, closing with a resolution and a comment, and reopening. Every action is recorded."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.rights import may_review

MAX_COMMENT = 4000


@database.atomic()
def alert_claim(*, alert_id: UUID, reviewer: Employee) -> Alert:
    """Claim an alert for review. Claiming twice has no effect; taking over a colleague's claim is recorded.

    Raise NotPermitted or AlreadyClosed.
    """
    alert = _reviewed(alert_id, reviewer)
    if alert.status == Alert.Status.CLOSED:
        raise AlreadyClosed(_("This alert is already closed."))
    if alert.claimed_by_id == reviewer.pk:
        return alert
    previous = alert.claimed_by_id
    Alert.objects.filter(pk=alert.pk).update(
        status=Alert.Status.CLAIMED, claimed_by=reviewer, updated_at=timezone.now()
    )
    alert.refresh_from_db()
    _event(alert, "alert.claimed", reviewer, data={"from": str(previous) if previous else None})
    return alert


@database.atomic()
def alert_close(*, alert_id: UUID, reviewer: Employee, resolution: str, comment: str = "") -> Alert:
    """Close an alert with a resolution. Repeating the call with the same arguments has no effect.

    Raise NotPermitted, AlreadyClosed if the alert was closed by somebody else or in another way, and InvalidMessage for
    an unknown resolution or a comment that is too long.
    """
    alert = _reviewed(alert_id, reviewer)
    known = [value for value, _label in Alert.RESOLUTIONS]
    if resolution not in known:
        raise InvalidMessage(_("Choose a resolution: %(known)s.") % {"known": ", ".join(known)}, field="resolution")
    comment = canonical_text(comment).strip()  # as the record keeps it
    if len(comment) > MAX_COMMENT:
        raise InvalidMessage(
            _("The comment may have at most %(most)d characters.") % {"most": MAX_COMMENT}, field="comment"
        )
    if alert.status == Alert.Status.CLOSED:
        if (alert.closed_by_id, alert.resolution, alert.comment) == (reviewer.pk, resolution, comment):
            return alert
        raise AlreadyClosed(_("This alert is already closed."))
    now = timezone.now()
    Alert.objects.filter(pk=alert.pk).update(
        status=Alert.Status.CLOSED,
        resolution=resolution,
        comment=comment,
        closed_by=reviewer,
        closed_at=now,
        updated_at=now,
    )
    alert.refresh_from_db()
    _event(alert, "alert.closed", reviewer, data={"resolution": resolution}, reason=comment or None)
    return alert


@database.atomic()
def alert_reopen(*, alert_id: UUID, reviewer: Employee) -> Alert:
    """Reopen an alert that the second reader closed. Repeating the call has no effect.

    Raise NotPermitted, and AlreadyClosed if a person closed the alert, since a person's decision is final.
    """
    alert = _reviewed(alert_id, reviewer)
    if alert.status != Alert.Status.CLOSED:
        return alert
    if alert.resolution != Alert.Resolution.NOTICED:
        raise AlreadyClosed(_("This alert is already closed."))
    Alert.objects.filter(pk=alert.pk).update(
        status=Alert.Status.OPEN, resolution="", closed_at=None, updated_at=timezone.now()
    )
    alert.refresh_from_db()
    _event(alert, "alert.reopened", reviewer, data={})
    return alert


def alert_history(alert: Alert) -> list[Event]:
    """Return the recorded steps of an alert, oldest first."""
    return list(Event.objects.filter(subject_type="alert", subject_id=str(alert.pk)).order_by("recorded_at", "id"))


def _reviewed(alert_id: UUID, reviewer: Employee) -> Alert:
    """Return the alert, locked. Raise NotPermitted if the reviewer may not work on it."""
    alert = Alert.objects.select_for_update().get(pk=alert_id)
    if not may_review(reviewer, alert):
        raise NotPermitted(_("You can't work on this alert."))
    return alert


def _event(alert: Alert, kind: str, reviewer: Employee, *, data: dict[str, object], reason: str | None = None) -> None:
    record_event(
        kind=kind,
        subject_type="alert",
        subject_id=alert.pk,
        actor_type=Event.ActorType.EMPLOYEE,
        actor=reviewer.pk,
        conversation=alert.conversation,
        data=data,
        reason=reason,
        row=alert,
    )
