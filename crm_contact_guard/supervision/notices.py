"""Emails to supervisors about alerts. They contain the kind, the people and a link, but never the content.

Notices are repeated until somebody has received an email about the alert, or has claimed or closed it. The first notice
is missing or fails if the alert had no addressee when it was opened (the directory contained no supervisor), if the
addressee has no email address, or if no attempt succeeded. The sweep then calls ``owed_queue``, and the notices that it
queues are sent like any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.mail import EmailMessage
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from crm_contact_guard import crm
from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database, retrying
from crm_contact_guard.hosting.languages import speaking
from crm_contact_guard.hosting.mailing import send_by_host
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.alerts import OWED, alert_address, record_notice
from crm_contact_guard.supervision.models import Alert, Notice
from crm_contact_guard.supervision.routing import addressee
from crm_contact_guard.supervision.titles import alert_title

RETRY = retrying.Retry(waits=(30, 120, 600, 3600), lease=timedelta(seconds=60))


def _due() -> QuerySet[Notice]:
    """Return the notices that are due, including those left by a dead worker."""
    return Notice.objects.filter(_is_due(timezone.now()))


def _is_due(now: datetime) -> Q:
    return retrying.due(now, waiting=Notice.State.QUEUED, held=Notice.State.SENDING)


def due(alert: Alert) -> list[int]:
    """Return the IDs of an alert's due notices."""
    return list(_due().filter(alert=alert).order_by("pk").values_list("pk", flat=True))


def due_alerts(limit: int = 200) -> list[UUID]:
    """Return the IDs of alerts with due notices."""
    return list(_due().order_by("alert_id").values_list("alert_id", flat=True).distinct()[:limit])


def notice_send(notice_id: int) -> bool:
    """Send one notice. Return whether it was sent.

    A worker claims the notice by a conditional UPDATE, so two workers never send it at the same time.
    """
    now = timezone.now()
    with database.atomic():
        if not Notice.objects.filter(_is_due(now), pk=notice_id).update(
            state=Notice.State.SENDING, lease_until=RETRY.lease_until(now), attempts=F("attempts") + 1
        ):
            return False
        notice = Notice.objects.select_related(
            "employee", "alert__conversation__customer", "alert__concerned", "alert__team"
        ).get(pk=notice_id)
        record_notice(notice, "notice.attempted")
    if not notice.employee.email:
        _settle(notice, state=Notice.State.FAILED, last_error="no e-mail address")
        return False
    try:
        send_by_host(_mail(notice))
    except Exception as error:  # noqa: BLE001 - whatever an email backend raises, the notice is retried
        again = RETRY.again_at(notice.attempts, now)
        state = Notice.State.QUEUED if again is not None else Notice.State.FAILED
        _settle(notice, state=state, due_at=again, last_error=canonical_text(f"{type(error).__name__}: {error}")[:500])
        return False
    _settle(notice, state=Notice.State.SENT, last_error="", sent_at=timezone.now())
    return True


@database.atomic()
def _settle(notice: Notice, **values: Any) -> None:
    """Store and record the outcome of an attempt, unless the lease expired and another worker took over."""
    own = Notice.objects.filter(pk=notice.pk, attempts=notice.attempts)
    if own.update(**{"due_at": None, "lease_until": None, **values}):
        for name, value in {"due_at": None, "lease_until": None, **values}.items():
            setattr(notice, name, value)
        record_notice(notice, "notice.sent" if notice.state == Notice.State.SENT else "notice.failed")


def _mail(notice: Notice) -> EmailMessage:
    alert = notice.alert
    with speaking(notice.employee.language):
        link = settings.PUBLIC_URL.rstrip("/") + reverse("crm_contact_guard:alert", args=[alert.pk])
        context = {"alert": alert, "title": alert_title(alert), "link": link, "company": settings.company_name}
        subject = render_to_string("crm_contact_guard/mail/alert_subject.txt", context)
        body = render_to_string("crm_contact_guard/mail/alert.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        to=[notice.employee.email],
        # The ID stays the same on a retry, so that mail systems can drop duplicates.
        headers={
            "Message-ID": f"<alert-{alert.pk}-{notice.pk}@contact-guard.invalid>",
            "Auto-Submitted": "auto-generated",
        },
    )


# --- notices that nobody has received yet

#: The delay between attempts once all attempts of ``RETRY`` have failed.
AGAIN = timedelta(hours=6)


def owed_queue(limit: int = 200) -> int:
    """Queue outstanding notices to people who can now be reached. Return the number of notices queued."""
    if not settings.NOTIFY.get("email", True):
        return 0
    return sum(_queue(alert) for alert in [*_without_addressee(limit), *_without_success(limit)])


def _without_addressee(limit: int) -> Iterator[Alert]:
    """Yield some open alerts that were opened without an addressee and still need a notice."""
    rows = Alert.objects.filter(status=Alert.Status.OPEN, addressee__isnull=True, notices__isnull=True)
    alerts = {str(alert.pk): alert for alert in _some(rows, limit)}
    opened = Event.objects.filter(kind="alert.opened", subject_type="alert", subject_id__in=list(alerts))
    for event in opened.order_by("pk"):
        if json.loads(event.data).get(OWED):
            yield alerts[event.subject_id]


def _without_success(limit: int) -> list[Alert]:
    """Return some open alerts whose notices have all failed."""
    notices = Notice.objects.filter(alert=OuterRef("pk"))
    failed = Q(state=Notice.State.FAILED)
    rows = Alert.objects.filter(Exists(notices.filter(failed)), ~Exists(notices.exclude(failed)))
    return _some(rows.filter(status=Alert.Status.OPEN), limit)


def _some(rows: QuerySet[Alert], limit: int) -> list[Alert]:
    # Choose at random. If nobody can be found for the oldest alerts, newer ones would otherwise never be reached.
    return list(rows.order_by("?")[:limit])


@database.atomic()
def _queue(found: Alert) -> bool:
    alert = Alert.objects.select_for_update().get(pk=found.pk)
    if alert.status != Alert.Status.OPEN or alert.notices.filter(~Q(state=Notice.State.FAILED)).exists():
        return False
    with crm.tenant(alert.tenant):
        person = addressee(alert.conversation)
    if person is None or (alert.notices.exists() and not person.email):
        return False
    if alert.addressee_id is None:
        alert_address(alert, person)
    return _renew(alert, person)


def _renew(alert: Alert, person: Employee) -> bool:
    """Queue a notice: now if it is the person's first one or their address was missing, otherwise after ``AGAIN``."""
    now = timezone.now()
    notice, is_new = Notice.objects.get_or_create(
        alert=alert, employee=person, channel="email", defaults={"due_at": now}
    )
    if not is_new:
        had_address = notice.attempts > 1
        notice.state, notice.attempts = Notice.State.QUEUED, RETRY.tries - 1 if had_address else 0
        notice.due_at = now + AGAIN if had_address else now
        notice.save(update_fields=["state", "attempts", "due_at"])
    record_notice(notice, "notice.queued" if is_new else "notice.due")
    return True
