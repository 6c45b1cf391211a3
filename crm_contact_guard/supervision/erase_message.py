"""Erases messages that contain sensitive data immediately, on request from an alert about them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.privacy.holds import not_held
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision.models import Alert, Finding, FindingKind
from crm_contact_guard.supervision.rights import may_erase

BASIS = "sensitive_data"


def erasable(alert: Alert) -> QuerySet[Message]:
    """Return the messages with sensitive data that the alert names and that haven't been erased."""
    named = Finding.objects.filter(alert=alert, kind=FindingKind.SENSITIVE_DATA).values("message")
    return Message.objects.filter(pk__in=named, salt__isnull=False)


def erase_sensitive(*, alert: Alert, message_id: UUID, actor: Employee, reason: str) -> bool:
    """Erase the content of a message that contains sensitive data.

    Return False if the content has already been erased or the message isn't part of the alert.

    Raise NotPermitted if the actor may not erase it. Raise InvalidMessage if the reason is empty, if a legal hold
    covers the message, or if another alert about it is open, because somebody still has to judge its evidence.
    """
    if not may_erase(actor, alert):
        raise NotPermitted(_("Compliance officers and the team's supervisor erase messages."))
    if not reason.strip():
        raise InvalidMessage(_("Give a reason for the erasure: it is recorded."), field="reason")
    rows = erasable(alert).filter(pk=message_id)
    if not rows.exists():
        return False
    if not not_held(rows).exists():
        raise InvalidMessage(_("A legal hold keeps this message. It can be erased once the hold ends."), field="hold")
    others = Finding.objects.filter(message=message_id, alert__isnull=False).exclude(alert=alert)
    if others.exclude(alert__status=Alert.Status.CLOSED).exists():
        raise InvalidMessage(_("Another alert about this message is still open. Close that one first."), field="alert")
    return bool(erase_messages(rows, basis=BASIS, actor=actor, reason=reason.strip()))


def erasures(alert: Alert) -> list[Event]:
    """Return the recorded erasures of messages that the alert names, oldest first."""
    named = [str(pk) for pk in Finding.objects.filter(alert=alert).values_list("message", flat=True)]
    rows = Event.objects.filter(kind=f"erasure.{BASIS}", subject_type="message", subject_id__in=named)
    return list(rows.order_by("recorded_at", "id"))
