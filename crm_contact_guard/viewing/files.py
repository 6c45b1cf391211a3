"""Open a file belonging to a message."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.record import access
from crm_contact_guard.viewing.conversations import still_seen


def file_open(viewer: Employee, pk: str, purpose: str, reason: str = "") -> Attachment:
    """Return the attachment if the viewer may read it. A view by someone outside the conversation is recorded.

    An original email shows raw addresses. Opening it is recorded as unmasking, with its ``reason``. ``purpose`` is
    the page or API path ("file"). Raises Http404 if there is no such file or the viewer may not read it. For an
    original email, raises NotPermitted if the viewer may not unmask addresses, and InvalidMessage without a reason.
    """
    try:
        key = UUID(pk)
    except ValueError:
        raise Http404 from None
    rows = Attachment.objects.select_related("message__conversation").exclude(stored_as="")
    attachment = get_object_or_404(rows.filter(message__in=permissions.messages(viewer)), pk=key)
    conversation = attachment.message.conversation
    if attachment.kind == Attachment.Kind.ORIGINAL:
        access.record_unmask(viewer=viewer, conversation=conversation, reason=reason)
    still_seen(viewer, conversation, purpose)
    return attachment
