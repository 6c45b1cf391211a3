"""What happens when somebody no longer stands in: claims that would block the alert are given up."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone

from crm_contact_guard.directory.models import Absence
from crm_contact_guard.hosting import database
from crm_contact_guard.supervision.handling.moving import locked, move
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.rights import may_review


def claims_return(limit: int = 200) -> int:
    """Return to the queue the alerts claimed by stand-ins who may no longer work on them. Return how many.

    May run twice, and concurrently.
    """
    ended = Absence.objects.filter(stand_in=OuterRef("claimed_by"), ends_at__lte=timezone.now())
    rows = Alert.objects.filter(Exists(ended), status=Alert.Status.CLAIMED).order_by("claimed_at")
    return sum(_return(key) for key in list(rows.values_list("pk", flat=True)[:limit]))


@database.atomic()
def _return(alert_id: UUID) -> bool:
    alert = locked(alert_id)
    holder = alert.claimed_by
    if alert.status != Alert.Status.CLAIMED or holder is None or may_review(holder, alert):
        return False
    move(alert, Alert.Status.OPEN, kind="alert.released", by=None, data={"claimed_by": str(holder.pk)})
    return True
