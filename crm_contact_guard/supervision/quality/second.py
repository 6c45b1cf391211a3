"""The second review of closed alerts. Until it is given, its reviewer doesn't see the alert anywhere else.

``supervision.rights.alerts`` leaves these alerts out, on which the queue, its counts and order, the API, notices and
figures rest.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.quality.assigning import permitted
from crm_contact_guard.supervision.quality.drawing import JUDGED
from crm_contact_guard.supervision.quality.models import SecondReview


def to_review(viewer: Employee) -> QuerySet[SecondReview]:
    """Return the viewer's waiting second reviews, in the order of the draw, which tells nothing about the alerts."""
    rows = SecondReview.objects.filter(reviewer=viewer, given_at=None, alert__status=Alert.Status.CLOSED)
    if not viewer.active:
        return rows.none()
    return rows.select_related("alert__conversation__customer", "alert__concerned", "alert__at_message").order_by("pk")


@database.atomic()
def second_review_give(*, review_id: UUID, reviewer: Employee, resolution: str) -> SecondReview:
    """Give the second judgement. The first one is copied beside it, and stays in force. Repeating it has no effect.

    Raise NotPermitted, AlreadyClosed if it was given or the alert is being looked at again, or InvalidMessage.
    """
    row = SecondReview.objects.select_for_update().get(pk=review_id)
    if not reviewer.active or row.reviewer_id != reviewer.pk:
        raise NotPermitted(_("This second review isn't yours."))
    if resolution not in JUDGED:
        raise InvalidMessage(_("Choose how you would have ended it."), field="resolution")
    if row.given_at is not None and row.resolution == resolution:
        return row
    alert = Alert.objects.get(pk=row.alert_id)
    if row.given_at is not None or alert.status != Alert.Status.CLOSED or alert.resolution not in JUDGED:
        raise AlreadyClosed(_("This second review isn't needed any more."))
    if reviewer.pk not in {person.pk for person in permitted(alert)}:
        raise NotPermitted(_("You have seen how this alert ended. Somebody else will review it."))
    row.resolution, row.given_at = resolution, timezone.now()
    row.first, row.first_by = alert.resolution, alert.closed_by
    row.save(force_update=True)
    record_event(
        kind="second_review.given",
        subject_type="second_review",
        subject_id=row.pk,
        by=reviewer,
        tenant=alert.tenant,
        row=row,
    )
    return row
