"""Mails about alerts to supervisors: kind, people and a link, never the content."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.core.mail import EmailMessage
from django.db.models import F, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.hosting import retrying
from crm_contact_guard.hosting.languages import speaking
from crm_contact_guard.hosting.mailing import send_by_host
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.supervision.models import Alert, Notice
from crm_contact_guard.supervision.titles import alert_title

RETRY = retrying.Retry(waits=(30, 120, 600, 3600), lease=timedelta(seconds=60))


def _due() -> QuerySet[Notice]:
    """Notices that wait, or were left by a dead worker."""
    return Notice.objects.filter(_is_due(timezone.now()))


def _is_due(now: datetime) -> Q:
    return retrying.due(now, waiting=Notice.State.QUEUED, held=Notice.State.SENDING)


def due(alert: Alert) -> list[int]:
    """Ids of an alert's due notices."""
    return list(_due().filter(alert=alert).order_by("pk").values_list("pk", flat=True))


def due_alerts(limit: int = 200) -> list[UUID]:
    """Ids of alerts with due notices."""
    return list(_due().order_by("alert_id").values_list("alert_id", flat=True).distinct()[:limit])


def notice_send(notice_id: int) -> bool:
    """Send one notice. True if it was sent. A claim is a conditional UPDATE, so two workers never send it at once."""
    now = timezone.now()
    if not Notice.objects.filter(_is_due(now), pk=notice_id).update(
        state=Notice.State.SENDING, lease_until=RETRY.lease_until(now), attempts=F("attempts") + 1
    ):
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
    except Exception as error:  # noqa: BLE001 - whatever a mail back end raises, the notice waits for another try
        again = RETRY.again_at(notice.attempts, now)
        rows.update(
            state=Notice.State.QUEUED if again is not None else Notice.State.FAILED,
            due_at=again,
            lease_until=None,
            last_error=canonical_text(f"{type(error).__name__}: {error}")[:500],
        )
        return False
    rows.update(state=Notice.State.SENT, due_at=None, lease_until=None, last_error="", sent_at=timezone.now())
    return True


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
        # With the same id on a retry, mail systems can drop the duplicate.
        headers={
            "Message-ID": f"<alert-{alert.pk}-{notice.pk}@contact-guard.invalid>",
            "Auto-Submitted": "auto-generated",
        },
    )
