"""Access log: when someone reads a conversation they take no part in, that is itself recorded."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.directory.rights import may_unmask
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.record.recording import record_event


def record_view(*, viewer: Employee, conversation: Conversation, purpose: str, subject_id: str = "") -> Event:
    """Record that ``viewer`` read a conversation. ``purpose`` names the page or API path, for example "alert"."""
    return record_event(
        kind="view.content",
        subject_type="conversation",
        subject_id=conversation.pk,
        actor_type=Event.ActorType.EMPLOYEE,
        actor=viewer.pk,
        conversation=conversation,
        data={"purpose": purpose, "about": subject_id or None},
    )


def record_unmask(*, viewer: Employee, conversation: Conversation) -> Event:
    """Record that ``viewer`` unmasks a conversation's addresses, before showing them. Raises NotPermitted."""
    if not may_unmask(viewer, conversation.tenant):
        raise NotPermitted(_("You may not see unmasked addresses."))
    return record_event(
        kind="view.unmasked",
        subject_type="conversation",
        subject_id=conversation.pk,
        actor_type=Event.ActorType.EMPLOYEE,
        actor=viewer.pk,
        conversation=conversation,
    )


def record_export(*, viewer: Employee, form: str, filters: dict[str, Any]) -> Event:
    """Record that ``viewer`` streams or exports the record. Call this before sending the first byte."""
    return record_event(
        kind="export.streamed",
        subject_type="export",
        subject_id=form,
        actor_type=Event.ActorType.EMPLOYEE,
        actor=viewer.pk,
        tenant=viewer.tenant,
        data={"form": form},
        details={"filters": filters} if filters else None,
    )
