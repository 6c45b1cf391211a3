"""The outbox of notices: which are due, sending one, and what becomes of those that could not be sent.

A worker claims a notice by a conditional UPDATE, so two workers never send it at the same time. If a worker dies while
sending, another sends it again after the lease: a notice is never lost, and it arrives twice only if the worker died
between the other side's acceptance and the commit. Both copies of an email then have the same Message-ID.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.dispatch import later
from crm_contact_guard.hosting import database, retrying
from crm_contact_guard.notices import failures, sending, targets
from crm_contact_guard.notices.events import record_notice
from crm_contact_guard.notices.models import EMAIL, IN_APP, Notice
from crm_contact_guard.notices.sending import NotSent
from crm_contact_guard.proof.canonical import canonical_text

RETRY = retrying.Retry(waits=(30, 120, 600, 3600), lease=timedelta(seconds=60))
#: The delay between attempts once all attempts of ``RETRY`` have failed.
AGAIN = timedelta(hours=6)
State = Notice.State


def due(limit: int = 200) -> list[int]:
    """Return the IDs of notices that are due, including those left by a dead worker."""
    rows = Notice.objects.filter(_is_due(timezone.now()))
    return list(rows.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])


def about(subject_type: str, subject_id: object) -> QuerySet[Notice]:
    """Return the notices about one subject."""
    return Notice.objects.filter(subject_type=subject_type, subject_id=str(subject_id))


def _is_due(now: datetime) -> Q:
    return retrying.due(now, waiting=State.QUEUED, held=State.SENDING)


def notice_send(notice_id: int) -> bool:
    """Send one notice if it is due. Return whether it was sent."""
    now = timezone.now()
    if _show(notice_id, now):
        return True
    with database.atomic():
        if not Notice.objects.filter(_is_due(now), pk=notice_id).update(
            state=State.SENDING, lease_until=RETRY.lease_until(now), attempts=F("attempts") + 1
        ):
            return False
        notice = Notice.objects.select_related("employee", "conversation").get(pk=notice_id)
        record_notice(notice, "notice.attempted")
    try:
        was_needed = sending.send(notice)
    except NotSent as error:
        again = None if error.permanent else RETRY.again_at(notice.attempts, now, retry_after=error.retry_after)
        _settle(
            notice,
            state=State.QUEUED if again is not None else State.FAILED,
            due_at=again,
            last_error=canonical_text(str(error))[:500],
        )
        return False
    if not was_needed:
        _settle(notice, state=State.DROPPED, last_error="")
        return False
    _settle(notice, state=State.SENT, last_error="", sent_at=timezone.now())
    return True


@database.atomic()
def _show(notice_id: int, now: datetime) -> bool:
    """Show a due notice in the app, which can't fail and thus needs no lease. Return False for any other notice."""
    mine = Notice.objects.filter(pk=notice_id, way=IN_APP, state=State.QUEUED, due_at__lte=now)
    if not mine.update(state=State.SENT, due_at=None, sent_at=now):
        return False
    record_notice(Notice.objects.select_related("employee", "conversation").get(pk=notice_id), "notice.sent")
    return True


_KINDS = {
    State.SENT: "notice.sent",
    State.QUEUED: "notice.failed",
    State.FAILED: "notice.failed",
    State.DROPPED: "notice.dropped",
}


@database.atomic()
def _settle(notice: Notice, **values: Any) -> None:
    """Store and record the outcome of an attempt, unless the lease expired and another worker took over."""
    values = {"due_at": None, "lease_until": None, **values}
    if Notice.objects.filter(pk=notice.pk, attempts=notice.attempts, state=State.SENDING).update(**values):
        for name, value in values.items():
            setattr(notice, name, value)
        record_notice(notice, _KINDS[State(notice.state)])
        if notice.state == State.FAILED:
            failures.tell_failure(notice)


@database.atomic()
def bring_forward(subject_type: str, subject_id: object) -> list[int]:
    """Make the notices about a subject due that are waiting for a delay to pass. Return their IDs."""
    now = timezone.now()
    waiting = about(subject_type, subject_id).filter(state=State.QUEUED, attempts=0, due_at__gt=now)
    rows = list(waiting.select_for_update().order_by("pk"))
    for notice in rows:
        notice.due_at = now
        notice.save(update_fields=["due_at"])
        record_notice(notice, "notice.due")
        later("notify", str(notice.pk))
    return [notice.pk for notice in rows]


def cancel(subject_type: str, subject_id: object) -> bool:
    """Delete the notices about a subject, if nobody has been told yet. Return whether nobody has.

    Call this in a transaction.
    """
    rows = list(about(subject_type, subject_id).select_for_update().order_by("pk"))
    if any(notice.state != State.QUEUED or notice.attempts for notice in rows):
        return False
    for notice in rows:
        record_notice(notice, "notice.cancelled")
    Notice.objects.filter(pk__in=[notice.pk for notice in rows]).delete()
    return True


# --- notices that failed


def failed_renew(limit: int = 200) -> int:
    """Queue failed notices again: when their person has got an address, or after ``AGAIN``. Return how many.

    This goes on until they are sent or their subject no longer matters.
    """
    rows = Notice.objects.filter(state=State.FAILED).exclude(way=IN_APP).select_related("employee", "conversation")
    # Choose at random. If the oldest can't be sent, newer ones would otherwise never be reached.
    return sum(_renew(notice) for notice in rows.order_by("?")[:limit])


@database.atomic()
def _renew(found: Notice) -> bool:
    notice = Notice.objects.select_for_update().get(pk=found.pk)
    if notice.state != State.FAILED or (notice.way == EMAIL and not settings.NOTIFY.get("email", True)):
        return False
    if not sending.matters(notice):
        notice.state = State.DROPPED
        notice.save(update_fields=["state"])
        record_notice(notice, "notice.dropped")
        return False
    if not sending.is_reachable(notice) or (notice.employee_id is None and targets.is_off(notice.way)):
        return False
    # After one attempt, the address was missing. Otherwise, all attempts were used up.
    had_address = notice.attempts > 1
    notice.state, notice.attempts = State.QUEUED, RETRY.tries - 1 if had_address else 0
    notice.due_at = timezone.now() + (AGAIN if had_address else timedelta(0))
    notice.save(update_fields=["state", "attempts", "due_at"])
    record_notice(notice, "notice.due")
    return True
