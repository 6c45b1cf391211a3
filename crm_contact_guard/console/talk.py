"""Everything a template needs to show one conversation: thread, composer, customer card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import calling, permissions
from crm_contact_guard.console import channel_choices, thread
from crm_contact_guard.console.composer import Composer, composer_for, customer_now
from crm_contact_guard.console.forms import NoteForm
from crm_contact_guard.conversations import senders, typing_marks
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.delivery import consent
from crm_contact_guard.directory.addresses import mask
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation, Message


@dataclass(frozen=True)
class MaskedAddress:
    kind: str
    label: str
    value: str
    #: Why it is not written to; empty when it may be.
    stopped: str = ""
    stopped_at: datetime | None = None


def find(viewer: Employee, pk: Any) -> Conversation:
    """The conversation, when the viewer may read it. Raises Http404."""
    rows = permissions.conversations(viewer).select_related("customer__owner", "employee", "team")
    return get_object_or_404(rows, pk=pk)


def talk(
    request: HttpRequest,
    viewer: Employee,
    conversation: Conversation,
    *,
    composer: Composer | None = None,
    note: NoteForm | None = None,
    new_chat_link: str = "",
    back: str = "",
    unmasked: bool = False,
) -> dict[str, Any]:
    """The context of a conversation, with the window that the address asks for (``around`` or ``before`` a message)."""
    findings = permissions.findings(viewer)
    place = thread.message_of(conversation, request.GET.get("around"))
    before = thread.message_of(conversation, request.GET.get("before"))
    if place is not None:
        window = thread.around(conversation, findings, [place])
    else:
        window = thread.newest(conversation, findings, before=before)
    start = window.lines[0].message if window.lines else None
    may_write = permissions.may_write(viewer, conversation)
    composer = composer or composer_for(viewer, conversation, back=back or request.get_full_path())
    return {
        "conversation": conversation,
        "window": window,
        **open_state(conversation, start),
        "around": place,
        "composer": composer,
        "may_write": may_write,
        "note_form": note or NoteForm(),
        "card": card(viewer, conversation, unmasked=unmasked),
        "new_chat_link": new_chat_link,
        "chat_links": chat_links_of(conversation) if may_write else [],
        "chats": channel_choices.webchat() is not None,
        "may_make_chat_link": may_write and channel_choices.webchat() is not None,
        "call_lines": calling.lines(conversation) if may_write else [],
        "call_key": uuid4().hex,
        "called": request.GET.get("called") == str(conversation.pk),
    }


def open_state(conversation: Conversation, start: Message | None) -> dict[str, Any]:
    """What an open page is at: the version of the messages from ``start`` on, and whether the customer is writing."""
    typing = typing_marks.customer_is_typing(conversation)
    return {"version": f"{thread.version(conversation, start)}.{int(typing)}", "typing": typing}


def card(viewer: Employee, conversation: Conversation, *, unmasked: bool = False) -> dict[str, Any]:
    """The customer, as far as the viewer needs to know: addresses are masked unless the viewer asked otherwise."""
    customer = conversation.customer
    return {
        "customer": customer,
        "addresses": [
            MaskedAddress(
                row.kind,
                row.get_kind_display(),
                row.value if unmasked else mask(row.kind, row.value),
                str(consent.REASONS.get(row.opted_out_by, _("was opted out"))) if row.opted_out_at else "",
                row.opted_out_at,
            )
            for row in customer.addresses.filter(dropped=False)
        ],
        "may_unmask": permissions.may_unmask(viewer) and not unmasked and customer.addresses.exists(),
        "unknown": customer.key is None,
        "may_identify": permissions.may_identify_customer(viewer, conversation),
        "shared": any(senders.is_shared(row) for row in customer.addresses.filter(dropped=False)),
        "local_time": customer_now(conversation, viewer, timezone.now()),
        "url": customer.url if customer.url.startswith(("/", "https://", "http://")) else "",
    }


def chat_links_of(conversation: Conversation) -> list[ChatLink]:
    """The conversation's web chat links that still open something."""
    now = timezone.now()
    rows = conversation.chat_links.filter(revoked_at__isnull=True, expires_at__gt=now)
    return list(rows.select_related("created_by").order_by("-created_at")[:10])
