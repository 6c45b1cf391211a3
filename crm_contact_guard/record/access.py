"""Access log: reading a conversation that one takes no part in is itself recorded."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.directory.rights import may_unmask
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.record.recording import record_event


def record_view(*, viewer: Employee, conversation: Conversation, purpose: str, subject_id: str = "") -> Event:
    """Record that ``viewer`` read a conversation. ``purpose``: the page or API path ("alert")."""
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
    """Record that ``viewer`` unmasks the addresses of a conversation, before they are shown. Raises NotPermitted."""
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
    """Record a stream or an export of the record. Call it before the first byte is sent."""
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
