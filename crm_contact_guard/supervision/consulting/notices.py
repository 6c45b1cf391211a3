"""Emails about consultations. They name nobody and contain nothing of what was written, only a link."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.mail import EmailMessage
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database, retrying
from crm_contact_guard.hosting.languages import speaking
from crm_contact_guard.hosting.mailing import automatic_mail, send_by_host
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.consulting.models import Consultation, ConsultationNotice

RETRY = retrying.Retry(waits=(30, 120, 600, 3600), lease=timedelta(seconds=60))
_State = ConsultationNotice.State


def queue(consultation: Consultation, person: Employee, about: str) -> bool:
    """Queue an email to the person in the caller's transaction. Return False if none is needed.

    None is needed if the person has no address, emails are switched off, or one is already waiting.
    """
    waiting = ConsultationNotice.objects.filter(consultation=consultation, employee=person, state=_State.QUEUED)
    if not person.email or not settings.NOTIFY.get("email", True) or waiting.exists():
        return False
    notice = ConsultationNotice.objects.create(
        consultation=consultation, employee=person, about=about, due_at=timezone.now()
    )
    _record(notice, "consultation_notice.queued")
    return True


def due(consultation_id: UUID) -> list[UUID]:
    """Return the IDs of a consultation's due notices."""
    rows = ConsultationNotice.objects.filter(_is_due(), consultation=consultation_id)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def due_consultations(limit: int = 200) -> list[UUID]:
    """Return the IDs of consultations with due notices, including those left by a dead worker."""
    rows = ConsultationNotice.objects.filter(_is_due()).order_by("consultation_id")
    return list(rows.values_list("consultation_id", flat=True).distinct()[:limit])


def _is_due() -> Q:
    return retrying.due(timezone.now(), waiting=_State.QUEUED, held=_State.SENDING)


def notice_send(notice_id: UUID) -> bool:
    """Send one notice. Return whether it was sent. A conditional UPDATE decides which worker sends it."""
    now = timezone.now()
    with database.atomic():
        if not ConsultationNotice.objects.filter(_is_due(), pk=notice_id).update(
            state=_State.SENDING, lease_until=RETRY.lease_until(now), attempts=F("attempts") + 1
        ):
            return False
        notice = ConsultationNotice.objects.select_related("employee", "consultation__conversation").get(pk=notice_id)
        _record(notice, "consultation_notice.attempted")
    try:
        send_by_host(_mail(notice))
    except Exception as error:  # noqa: BLE001 - whatever an email backend raises, the notice is retried
        again = RETRY.again_at(notice.attempts, now)
        told = canonical_text(f"{type(error).__name__}: {error}")[:500]
        _settle(notice, state=_State.QUEUED if again else _State.FAILED, due_at=again, last_error=told)
        return False
    _settle(notice, state=_State.SENT, due_at=None, last_error="", sent_at=timezone.now())
    return True


@database.atomic()
def _settle(notice: ConsultationNotice, **values: Any) -> None:
    """Store and record the outcome of an attempt, unless the lease expired and another worker took over."""
    values["lease_until"] = None
    if ConsultationNotice.objects.filter(pk=notice.pk, attempts=notice.attempts).update(**values):
        for name, value in values.items():
            setattr(notice, name, value)
        sent = notice.state == _State.SENT
        _record(notice, "consultation_notice.sent" if sent else "consultation_notice.failed")


def _mail(notice: ConsultationNotice) -> EmailMessage:
    with speaking(notice.employee.language):
        path = reverse("crm_contact_guard:consultation", args=[notice.consultation_id])
        context = {
            "about": notice.about,
            "own": notice.employee_id == notice.consultation.employee_id,
            "link": settings.PUBLIC_URL.rstrip("/") + path,
        }
        return automatic_mail("consultation", context, to=notice.employee.email, key=f"consultation-{notice.pk}")


def _record(notice: ConsultationNotice, kind: str) -> None:
    record_event(
        kind=kind,
        subject_type="consultation_notice",
        subject_id=notice.pk,
        actor_type=Event.ActorType.SYSTEM,
        conversation=notice.consultation.conversation,
        row=notice,
    )
