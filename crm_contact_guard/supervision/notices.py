"""Mails about alerts to supervisors: kind, people and a link, never the content."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.core.mail import EmailMessage
from django.db.models import F, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from crm_contact_guard.conf import settings
from crm_contact_guard.hosting.mailing import send_by_host
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.supervision.models import Alert, Notice
from crm_contact_guard.supervision.titles import alert_title

LEASE = timedelta(seconds=60)
#: Waiting time after each failed attempt, in seconds.
BACKOFF = (30, 120, 600, 3600)


def _due() -> QuerySet[Notice]:
    """Notices that are due, or were left behind by a dead worker."""
    now = timezone.now()
    waiting = Q(state=Notice.State.QUEUED, due_at__lte=now)
    return Notice.objects.filter(waiting | Q(state=Notice.State.SENDING, lease_until__lt=now))


def due(alert: Alert) -> list[int]:
    """Ids of an alert's due notices."""
    return list(_due().filter(alert=alert).order_by("pk").values_list("pk", flat=True))


def due_alerts(limit: int = 200) -> list[UUID]:
    """Ids of alerts with due notices."""
    return list(_due().order_by("alert_id").values_list("alert_id", flat=True).distinct()[:limit])


def notice_send(notice_id: int) -> bool:
    """Send one notice. True if it was sent. A claim is a conditional UPDATE, so two workers never send it at once."""
    now = timezone.now()
    claimed = (
        Notice.objects.filter(pk=notice_id)
        .filter(Q(state=Notice.State.QUEUED, due_at__lte=now) | Q(state=Notice.State.SENDING, lease_until__lt=now))
        .update(state=Notice.State.SENDING, lease_until=now + LEASE, attempts=F("attempts") + 1)
    )
    if not claimed:
        return False
    notice = Notice.objects.select_related(
        "employee", "alert__conversation__customer", "alert__concerned", "alert__team"
    ).get(pk=notice_id)
    rows = Notice.objects.filter(pk=notice_id)
    if not notice.employee.email:
        rows.update(state=Notice.State.FAILED, due_at=None, lease_until=None, last_error="no e-mail address")
        return False
    try:
        send_by_host(_mail(notice))
    except Exception as error:  # noqa: BLE001 - mail back ends raise anything; the notice is retried
        again = notice.attempts <= len(BACKOFF)
        rows.update(
            state=Notice.State.QUEUED if again else Notice.State.FAILED,
            due_at=now + timedelta(seconds=BACKOFF[notice.attempts - 1]) if again else None,
            lease_until=None,
            last_error=canonical_text(f"{type(error).__name__}: {error}")[:500],
        )
        return False
    rows.update(state=Notice.State.SENT, due_at=None, lease_until=None, last_error="", sent_at=timezone.now())
    return True


def _mail(notice: Notice) -> EmailMessage:
    alert = notice.alert
    with translation.override(notice.employee.language or translation.get_language()):
        link = settings.PUBLIC_URL.rstrip("/") + reverse("crm_contact_guard:alert", args=[alert.pk])
        context = {"alert": alert, "title": alert_title(alert), "link": link, "company": settings.company_name}
        subject = render_to_string("crm_contact_guard/mail/alert_subject.txt", context)
        body = render_to_string("crm_contact_guard/mail/alert.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        to=[notice.employee.email],
        # With the same id on a retry, mail systems can drop the duplicate.
        headers={
            "Message-ID": f"<alert-{alert.pk}-{notice.pk}@contact-guard.invalid>",
            "Auto-Submitted": "auto-generated",
        },
    )
