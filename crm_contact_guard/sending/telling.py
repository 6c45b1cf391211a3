"""Tells the person who decides that a message is held, and reminds them once when half of the time has passed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.delivery import waits
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.hosting import logs
from crm_contact_guard.hosting.languages import speaking
from crm_contact_guard.hosting.mailing import send_by_host
from crm_contact_guard.supervision.routing import addressee

logger = logs.logger(__name__)


def to_remind(now: datetime, limit: int = 200) -> list[UUID]:
    """Return the IDs of held messages for which half of the time has passed and nobody was reminded."""
    rows = Wait.objects.filter(state=Wait.State.HELD, reminded_at=None, due_at__gt=now).order_by("due_at")
    held = rows.values_list("message_id", "message__recorded_at", "due_at")[:limit]
    return [key for key, since, until in held if until is not None and now - since >= until - now]


def tell(message_id: UUID) -> bool:
    """Email the person who decides, without the text. Return whether an email was sent.

    A failed email isn't repeated: the page of held messages shows them, and a reminder follows.
    """
    wait = waits.wait_of(message_id)
    if wait is None or wait.state != Wait.State.HELD or not settings.NOTIFY.get("email", True):
        return False
    person = addressee(wait.message.conversation)
    if person is None or not person.email or person.pk == wait.message.employee_id:
        return False
    with speaking(person.language):
        link = settings.PUBLIC_URL.rstrip("/") + reverse("crm_contact_guard:holds")
        context = {"wait": wait, "link": link, "company": settings.company_name}
        subject = render_to_string("crm_contact_guard/mail/held_subject.txt", context)
        body = render_to_string("crm_contact_guard/mail/held.txt", context)
    email = EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        to=[person.email],
        headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        send_by_host(email)
    except Exception:
        logger.exception("Could not tell anybody about the held message %s", message_id)
        return False
    return True


def remind(message_id: UUID) -> bool:
    """Remind the person who decides, at most once for each message. Return whether an email was sent."""
    wait = waits.wait_of(message_id)
    return wait is not None and waits.remind(wait, timezone.now()) and tell(message_id)
