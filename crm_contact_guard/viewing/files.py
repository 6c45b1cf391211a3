"""Open a file belonging to a message."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.record import access
from crm_contact_guard.viewing.conversations import still_seen


def file_open(viewer: Employee, pk: str, purpose: str) -> Attachment:
    """Return the attachment if the viewer may read it. A view by someone outside the conversation is recorded.

    An original email shows raw addresses. Opening it is recorded as unmasking. ``purpose`` is the page or API path
    ("file"). Raises Http404 if there is no such file or the viewer may not read it, and NotPermitted for an original
    email if the viewer may not unmask addresses.
    """
    try:
        key = UUID(pk)
    except ValueError:
        raise Http404 from None
    rows = Attachment.objects.select_related("message__conversation").exclude(stored_as="")
    attachment = get_object_or_404(rows.filter(message__in=permissions.messages(viewer)), pk=key)
    conversation = attachment.message.conversation
    if attachment.kind == Attachment.Kind.ORIGINAL:
        if not permissions.may_unmask(viewer):
            raise NotPermitted(_("You may not see unmasked addresses."))
        access.record_unmask(viewer=viewer, conversation=conversation)
    still_seen(viewer, conversation, purpose)
    return attachment
