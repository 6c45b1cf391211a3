"""Closing unusual readings, by compliance officers other than the reader."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.cases.models import Sort
from crm_contact_guard.supervision.cases.opening import case_open
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import written
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.noticing import record
from crm_contact_guard.supervision.watching.rights import may_judge


@database.atomic()
def reading_close(*, reading_id: UUID, reviewer: Employee, resolution: str, comment: str) -> UnusualReading:
    """Close an unusual reading with a resolution and a comment. "Case opened" opens a conduct case about the reader.

    Repeating the call with the same resolution has no effect. Raise NotPermitted, AlreadyClosed, and InvalidMessage for
    an unknown resolution or without a comment.
    """
    row = UnusualReading.objects.select_for_update().get(pk=reading_id)
    if not may_judge(reviewer, row):
        raise NotPermitted(_("Compliance officers close unusual readings, but never their own."))
    if resolution not in dict(Alert.RESOLUTIONS):
        known = ", ".join(value for value, _label in Alert.RESOLUTIONS)
        raise InvalidMessage(_("Choose a resolution: %(known)s.") % {"known": known}, field="resolution")
    if row.state == UnusualReading.State.CLOSED:
        if (row.closed_by_id, row.resolution) == (reviewer.pk, resolution):
            return row
        raise AlreadyClosed(_("This is already closed."))
    comment = written(comment, "comment")
    if not comment:
        raise InvalidMessage(_("Say why, for the record."), field="comment")
    if resolution == Alert.Resolution.CASE_OPENED:
        row.case = case_open(actor=reviewer, sort=Sort.CONDUCT, concerned=row.reader, acted_at=_first(row))
    now = timezone.now()
    row.state, row.resolution = UnusualReading.State.CLOSED, resolution
    row.closed_by, row.closed_at, row.updated_at = reviewer, now, now
    row.save()
    record(row, reviewer, "unusual_reading.closed", reason=comment)
    return row


def _first(row: UnusualReading) -> datetime:
    """Return when the first of the evidence was read."""
    views = Event.objects.filter(pk__in=row.evidence).order_by("recorded_at")
    return views.values_list("recorded_at", flat=True)[0]


def evidence_of(row: UnusualReading) -> list[Event]:
    """Return the recorded views, oldest first, with their conversations loaded."""
    views = Event.objects.filter(pk__in=row.evidence).select_related("conversation__customer", "conversation__employee")
    return list(views.order_by("recorded_at", "id"))
