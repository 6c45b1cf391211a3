"""Actions on alerts: claiming, closing with a resolution and a comment, and reopening. Every action is recorded.

What is allowed in which state, and to whom, is in ``handling.transitions``. Services raise NotPermitted, AlreadyClosed,
AlreadyClaimed or NotPossible accordingly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPossible
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.cases.opening import case_from_alert
from crm_contact_guard.supervision.handling import deadlines
from crm_contact_guard.supervision.handling.moving import is_repeated, move, move_once, require, reviewed
from crm_contact_guard.supervision.handling.transitions import Action
from crm_contact_guard.supervision.models import Alert

MAX_COMMENT = 4000
#: How long after closing an alert a reviewer may take the close back.
UNDO: Final = timedelta(minutes=10)


@database.atomic()
def alert_claim(*, alert_id: UUID, reviewer: Employee) -> Alert:
    """Claim an alert for review. Claiming twice has no effect. Raise AlreadyClaimed if a colleague has claimed it."""
    claim = {"claimed_by": reviewer, "claimed_at": timezone.now()}
    return move_once(alert_id, Action.CLAIM, Alert.Status.CLAIMED, kind="alert.claimed", by=reviewer, **claim)


@database.atomic()
def alert_close(
    *,
    alert_id: UUID,
    reviewer: Employee,
    resolution: str,
    comment: str = "",
    unchanged_since: datetime | None = None,
    data: Mapping[str, object] | None = None,
) -> Alert:
    """Close an alert with a resolution. Repeating the call with the same arguments has no effect.

    With ``unchanged_since``, raise NotPossible if the alert has changed since its ``updated_at`` had that value.
    ``data`` is added to the event.

    Raise AlreadyClosed if the alert was closed by somebody else or in another way, AlreadyClaimed if a colleague is
    looking at it, and InvalidMessage for an unknown resolution or a comment that is too long.
    """
    alert = reviewed(alert_id, reviewer)
    known = [value for value, _label in Alert.RESOLUTIONS]
    if resolution not in known:
        raise InvalidMessage(_("Choose a resolution: %(known)s.") % {"known": ", ".join(known)}, field="resolution")
    comment = written(comment, "comment")
    same = (alert.closed_by_id, alert.resolution, alert.comment) == (reviewer.pk, resolution, comment)
    if alert.status == Alert.Status.CLOSED and same:
        return alert
    require(alert, Action.CLOSE, reviewer)
    if unchanged_since is not None and alert.updated_at != unchanged_since:
        raise NotPossible(_("The alert has changed in the meantime. Look at it again."))
    if resolution == Alert.Resolution.CASE_OPENED:
        case_from_alert(alert_id=alert.pk, opened_by=reviewer)
    return move(
        alert,
        Alert.Status.CLOSED,
        kind="alert.closed",
        by=reviewer,
        data={"resolution": resolution, **(data or {})},
        reason=comment or None,
        resolution=resolution,
        comment=comment,
        closed_by=reviewer,
        closed_at=timezone.now(),
    )


@database.atomic()
def alert_reopen(*, alert_id: UUID, reviewer: Employee, reason: str = "") -> Alert:
    """Reopen a closed alert. Repeating the call has no effect.

    Raise InvalidMessage if a person closed the alert and no reason is given. The close stays in the history.
    """
    alert = reviewed(alert_id, reviewer)
    if is_repeated(alert, Action.REOPEN, reviewer):
        return alert
    require(alert, Action.REOPEN, reviewer)
    reason = written(reason, "reason")
    if not reason and alert.resolution != Alert.Resolution.NOTICED:
        raise InvalidMessage(_("Say why the alert is opened again."), field="reason")
    return _reopened(alert, Alert.Status.OPEN, reviewer, reason=reason or None)


@database.atomic()
def alert_undo(*, alert_id: UUID, reviewer: Employee) -> Alert:
    """Take back one's own close of the last ``UNDO``: the alert is as it was before. The close stays in the history.

    Raise NotPossible if somebody else closed the alert, or if too much time has passed.
    """
    alert = reviewed(alert_id, reviewer)
    if is_repeated(alert, Action.UNDO, reviewer):
        return alert
    require(alert, Action.UNDO, reviewer)
    if not may_undo(alert, reviewer):
        raise NotPossible(_("Only your own close can be taken back, and only for some minutes. Open the alert again."))
    closes = [event for event in alert_history(alert) if event.kind == "alert.closed"]
    was = json.loads(closes[-1].data).get("was") if closes else None
    claimed = was == Alert.Status.CLAIMED and alert.claimed_by_id == reviewer.pk
    pool = was == Alert.Status.REVIEW
    to = Alert.Status.CLAIMED if claimed else Alert.Status.REVIEW if pool else Alert.Status.OPEN
    return _reopened(alert, to, reviewer, undone=True)


def may_undo(alert: Alert, viewer: Employee) -> bool:
    """Whether the viewer closed the alert so recently that the close can be taken back."""
    return (
        alert.status == Alert.Status.CLOSED
        and alert.closed_by_id == viewer.pk
        and alert.closed_at is not None
        and timezone.now() - alert.closed_at < UNDO
    )


def alert_history(alert: Alert) -> list[Event]:
    """Return the recorded steps of an alert, oldest first."""
    return list(Event.objects.filter(subject_type="alert", subject_id=str(alert.pk)).order_by("recorded_at", "id"))


def written(text: str, field: str) -> str:
    """Return what a person wrote as the record keeps it. Raise InvalidMessage if it is too long."""
    text = canonical_text(text).strip()
    if len(text) > MAX_COMMENT:
        message = _("The comment may have at most %(most)d characters.") % {"most": MAX_COMMENT}
        raise InvalidMessage(message, field=field)
    return text


def _reopened(
    alert: Alert, to: Alert.Status, reviewer: Employee, *, reason: str | None = None, undone: bool = False
) -> Alert:
    return move(
        alert,
        to,
        kind="alert.reopened",
        by=reviewer,
        data={"undone": True} if undone else {},
        reason=reason,
        resolution="",
        comment="",
        closed_by=None,
        closed_at=None,
        **(_kept_deadline(alert) if undone and to != Alert.Status.REVIEW else {}),
    )


def _kept_deadline(alert: Alert) -> dict[str, Any]:
    """Return the deadline as it was before the close that is taken back. Only the time of an escalation begins anew."""
    pending = {0: alert.due_at, 1: deadlines.escalates_at(alert.addressee, timezone.now())}
    next_step_at = pending.get(alert.overdue_steps) if alert.due_at is not None else None
    return {"due_at": alert.due_at, "overdue_steps": alert.overdue_steps, "next_step_at": next_step_at}
