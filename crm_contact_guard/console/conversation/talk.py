"""Everything a template needs to show one conversation: thread, composer, customer card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import calling, permissions
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel
from crm_contact_guard.console.conversation import channel_choices, thread
from crm_contact_guard.console.conversation.composer import Composer, composer_for, customer_now
from crm_contact_guard.console.conversation.thread import Window
from crm_contact_guard.console.forms import NoteForm
from crm_contact_guard.console.page import Shown
from crm_contact_guard.conversations import senders, typing_marks
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.delivery import consent
from crm_contact_guard.directory.addresses import mask
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.record.models import Conversation, Message


@dataclass(frozen=True)
class MaskedAddress:
    kind: str
    label: str
    value: str
    #: Why it is not written to; empty when it may be.
    stopped: str = ""
    stopped_at: datetime | None = None


@dataclass(frozen=True)
class Card:
    """The customer, as far as the viewer needs to know."""

    customer: Customer
    addresses: Sequence[MaskedAddress]
    may_unmask: bool
    #: The CRM does not know who it is.
    unknown: bool
    may_identify: bool
    #: Another customer has the same address.
    shared: bool
    #: Where the customer's clock says something else than the viewer's.
    local_time: datetime | None
    #: The customer's page in the CRM; empty: it has none that a browser may open.
    url: str


@dataclass(frozen=True)
class Search:
    """For whom of the CRM's customers was looked, and whom the viewer may choose."""

    words: str
    found: Sequence[Customer]
    error: str = ""

    @property
    def searched(self) -> bool:
        return bool(self.words)


@dataclass(frozen=True)
class ChatLinks(Shown):
    """The conversation's web chat links. ``new_address``: the one just made, which is shown this once."""

    template = "parts/chat_links.html"

    conversation: Conversation
    links: Sequence[ChatLink]
    may_make: bool
    new_address: str = ""


@dataclass(frozen=True)
class CallButtons(Shown):
    """The buttons that call the customer. ``called``: the viewer's telephone rings; ``error``: why it does not."""

    template = "parts/call.html"

    conversation: Conversation
    #: The channels over which the customer can be called now.
    lines: Sequence[Channel]
    #: Belongs to one form on one page: sent twice, it is one call.
    key: str
    back: str
    called: bool = False
    error: str = ""


@dataclass(frozen=True)
class OpenState:
    """What an open page is at: the version of its messages, and whether the customer is writing."""

    version: str
    typing: bool


@dataclass(frozen=True)
class Talk:
    """One conversation with all that stands around it."""

    conversation: Conversation
    window: Window
    state: OpenState
    #: The message that the address asks for; the window lies around it.
    around: Message | None
    #: There is a web chat, where people see each other write.
    chats: bool
    composer: Composer
    may_write: bool
    note_form: NoteForm
    card: Card
    chat_links: ChatLinks
    call: CallButtons
    search: Search | None = None


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
    call: CallButtons | None = None,
    search: Search | None = None,
) -> Talk:
    """A conversation, with the window that the address asks for."""
    window, place = window_of(request, viewer, conversation)
    may_write = permissions.may_write(viewer, conversation)
    composer = composer or composer_for(viewer, conversation, back=back or request.get_full_path())
    return Talk(
        conversation=conversation,
        window=window,
        state=open_state(conversation, window.lines[0].message if window.lines else None),
        around=place,
        chats=channel_choices.webchat() is not None,
        composer=composer,
        may_write=may_write,
        note_form=note or NoteForm(),
        card=card(viewer, conversation, unmasked=unmasked),
        chat_links=chat_links(conversation, may_write=may_write, new_address=new_chat_link),
        call=call
        or CallButtons(
            conversation=conversation,
            lines=calling.lines(conversation) if may_write else [],
            key=uuid4().hex,
            back=composer.back,
            called=request.GET.get("called") == str(conversation.pk),
        ),
        search=search,
    )


def window_of(request: HttpRequest, viewer: Employee, conversation: Conversation) -> tuple[Window, Message | None]:
    """The messages that the address asks for (``around`` or ``before`` one), else the newest; which they are around."""
    findings = permissions.findings(viewer)
    place = thread.message_of(conversation, request.GET.get("around"))
    if place is not None:
        return thread.around(conversation, findings, [place]), place
    before = thread.message_of(conversation, request.GET.get("before"))
    return thread.newest(conversation, findings, before=before), None


def open_state(conversation: Conversation, start: Message | None) -> OpenState:
    """What an open page is at whose messages begin with ``start``."""
    typing = typing_marks.customer_is_typing(conversation)
    return OpenState(version=f"{thread.version(conversation, start)}.{int(typing)}", typing=typing)


def card(viewer: Employee, conversation: Conversation, *, unmasked: bool = False) -> Card:
    """The customer's card: addresses are masked unless the viewer asked otherwise."""
    customer = conversation.customer
    return Card(
        customer=customer,
        addresses=[
            MaskedAddress(
                row.kind,
                registry.address_kind(row.kind).label or row.kind,
                row.value if unmasked else mask(row.kind, row.value),
                str(consent.REASONS.get(row.opted_out_by, _("was opted out"))) if row.opted_out_at else "",
                row.opted_out_at,
            )
            for row in customer.addresses.filter(dropped=False)
        ],
        may_unmask=permissions.may_unmask(viewer) and not unmasked and customer.addresses.exists(),
        unknown=customer.key is None,
        may_identify=permissions.may_identify_customer(viewer, conversation),
        shared=any(senders.is_shared(row) for row in customer.addresses.filter(dropped=False)),
        local_time=customer_now(conversation, viewer, timezone.now()),
        url=customer.url if customer.url.startswith(("/", "https://", "http://")) else "",
    )


def chat_links(conversation: Conversation, *, may_write: bool, new_address: str = "") -> ChatLinks:
    """The web chat links that still open something, for those who write in the conversation."""
    now = timezone.now()
    rows = conversation.chat_links.filter(revoked_at__isnull=True, expires_at__gt=now)
    return ChatLinks(
        conversation=conversation,
        links=list(rows.select_related("created_by").order_by("-created_at")[:10]) if may_write else [],
        may_make=may_write and channel_choices.webchat() is not None,
        new_address=new_address,
    )
