"""Access log: when someone reads a conversation they take no part in, that is itself recorded."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.directory.rights import may_unmask
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.record.recording import record_event


def record_view(*, viewer: Employee, conversation: Conversation, purpose: str, subject_id: str = "") -> Event:
    """Record that ``viewer`` read a conversation. ``purpose`` names the page or API path, for example "alert"."""
    return record_event(
        kind="view.content",
        subject_type="conversation",
        subject_id=conversation.pk,
        by=viewer,
        conversation=conversation,
        data={"purpose": purpose, "about": subject_id or None},
    )


#: Maximum length of the reason for unmasking, in characters.
MAX_REASON: Final = 500
#: How long an approval lasts.
APPROVAL_LASTS: Final = timedelta(hours=8)


def record_unmask(*, viewer: Employee, conversation: Conversation, reason: str) -> Event:
    """Record that ``viewer`` unmasks a conversation's addresses, and why, before showing them.

    Raises NotPermitted, InvalidMessage if no reason is given, and NotPossible if a second person must approve first.
    """
    reason = unmask_reason(viewer, reason, conversation.tenant)
    approval = unmask_approval(viewer, conversation) if settings.UNMASK_APPROVAL else None
    if settings.UNMASK_APPROVAL and approval is None:
        raise NotPossible(_("A second person must approve this first. Ask on the conversation's page."))
    return record_event(
        kind="view.unmasked",
        subject_type="conversation",
        subject_id=conversation.pk,
        by=viewer,
        conversation=conversation,
        data={"approval": str(approval.pk)} if approval is not None else None,
        reason=reason,
    )


def unmask_approval(viewer: Employee, conversation: Conversation) -> Event | None:
    """Return the approval by a second person that lets the viewer unmask now; None if there is none."""
    since = timezone.now() - APPROVAL_LASTS
    approvals = Event.objects.filter(kind="unmask.approved", conversation=conversation, recorded_at__gt=since)
    return next((one for one in approvals.order_by("-pk") if json.loads(one.data)["for"] == str(viewer.pk)), None)


def unmask_reason(viewer: Employee, reason: str, tenant: str | None = None) -> str:
    """Return the reason for unmasking as the record keeps it.

    Raises NotPermitted if the viewer may not unmask (addresses of ``tenant``, if given), and InvalidMessage, whose
    field is ``unmask_reason``, if the reason is blank or too long.
    """
    if not may_unmask(viewer, tenant):
        raise NotPermitted(_("You may not see unmasked addresses."))
    reason = canonical_text(reason).strip()
    if not reason:
        raise InvalidMessage(_("Say why you need the full addresses."), field="unmask_reason")
    if len(reason) > MAX_REASON:
        message = _("The reason may have at most %(most)d characters.") % {"most": MAX_REASON}
        raise InvalidMessage(message, field="unmask_reason")
    return reason


def record_export(*, viewer: Employee, form: str, filters: dict[str, Any], reason: str | None = None) -> Event:
    """Record that ``viewer`` streams or exports the record. Call this before sending the first byte.

    ``reason``: why, if addresses are unmasked.
    """
    return record_event(
        kind="export.streamed",
        subject_type="export",
        subject_id=form,
        by=viewer,
        tenant=viewer.tenant,
        data={"form": form},
        details={"filters": filters} if filters else None,
        reason=reason,
    )
