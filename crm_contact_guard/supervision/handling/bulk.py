"""Closes many alerts in one act, with one reason. Alerts that changed since the reviewer saw them stay open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import AlreadyClaimed, AlreadyClosed, InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.review import UNDO, alert_close, alert_undo, written
from crm_contact_guard.supervision.rights import alerts

MOST: Final = 500
#: Member of each closing event's data. The closes of one act count as one judgement.
BATCH: Final = "batch"


@dataclass(frozen=True)
class Outcome:
    """How many alerts were closed, and how many weren't because they had changed. ``batch`` names the act."""

    batch: str
    closed: int
    changed: int


def alerts_close(*, seen: Mapping[UUID, datetime], reviewer: Employee, resolution: str, comment: str) -> Outcome:
    """Close alerts that haven't changed since ``seen`` (their ``updated_at``). Each alert has its own transaction.

    If the process dies, the remaining alerts stay open. Raise InvalidMessage if there are no or too many alerts, no
    comment, or no known resolution, and NotPermitted if the reviewer may not work on one of them.
    """
    if not written(comment, "comment"):
        raise InvalidMessage(_("Say why these alerts are closed together."), field="comment")
    if not 0 < len(seen) <= MOST:
        raise InvalidMessage(_("Choose between 1 and %(most)d alerts.") % {"most": MOST}, field="alerts")
    return close_together(seen=seen, reviewer=reviewer, resolution=resolution, comment=comment)


def close_together(
    *,
    seen: Mapping[UUID, datetime],
    reviewer: Employee,
    resolution: str,
    comment: str,
    first: UUID | None = None,
) -> Outcome:
    """Close alerts as ``alerts_close`` does, but a comment isn't required.

    If ``first`` can't be closed, raise what ``alert_close`` raises, and close none.
    """
    batch, closed = str(uuid7()), 0
    rows = list(alerts(reviewer).filter(pk__in=seen).order_by("-severity", "pk").values_list("pk", flat=True))
    if len(rows) < len(seen) or reviewer.role == Role.AUDITOR:
        raise NotPermitted(_("You can't work on this alert."))
    for key in sorted(rows, key=lambda one: one != first):
        try:
            alert_close(
                alert_id=key,
                reviewer=reviewer,
                resolution=resolution,
                comment=comment,
                unchanged_since=seen[key],
                data={BATCH: batch},
            )
        except (AlreadyClaimed, AlreadyClosed, NotPossible):
            if key == first:
                raise
            continue
        closed += 1
    return Outcome(batch=batch, closed=closed, changed=len(seen) - closed)


def alerts_undo(*, batch: str, reviewer: Employee) -> int:
    """Take back the reviewer's closes of one act, as ``alert_undo`` does. Return how many."""
    undone = 0
    for key in closed_in(batch, reviewer):
        try:
            alert_undo(alert_id=key, reviewer=reviewer)
        except (AlreadyClaimed, AlreadyClosed, NotPossible):
            continue
        undone += 1
    return undone


def closed_in(batch: str, reviewer: Employee) -> list[UUID]:
    """Return the alerts that the reviewer closed in one act, while it can still be taken back."""
    events = Event.objects.filter(
        kind="alert.closed",
        subject_type="alert",
        actor=str(reviewer.pk),
        recorded_at__gte=timezone.now() - UNDO,
        data__contains=f'"{BATCH}":"{UUID(batch)}"',
    )
    return [UUID(key) for key in events.values_list("subject_id", flat=True)]
