"""All data that a template needs to show one conversation: thread, composer and customer card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import uuid4

from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import calling, permissions
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel
from crm_contact_guard.conf import settings
from crm_contact_guard.console.conversation import channel_choices, thread
from crm_contact_guard.console.conversation.advice import kind_refusal
from crm_contact_guard.console.conversation.composer import Composer, Known, composer_for, customer_now
from crm_contact_guard.console.conversation.thread import Window
from crm_contact_guard.console.forms import NoteForm
from crm_contact_guard.console.page import Shown
from crm_contact_guard.conversations import senders, typing_marks
from crm_contact_guard.conversations.desk import presence
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.conversations.restrictions.standing import of_customer
from crm_contact_guard.delivery import consent
from crm_contact_guard.directory.addresses import mask
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.record.models import Conversation, Direction, Event, Message
from crm_contact_guard.supervision.watching.unmasking import unmask_refusal


@dataclass(frozen=True)
class MaskedAddress:
    kind: str
    label: str
    value: str
    #: Why messages must not be sent to the address; empty if they may be sent.
    stopped: str = ""
    stopped_at: datetime | None = None


@dataclass(frozen=True)
class Card:
    """The customer, as far as the viewer needs to know."""

    customer: Customer
    addresses: Sequence[MaskedAddress]
    may_unmask: bool
    #: The refusal of the viewer's newest request to see the addresses.
    refusal: Event | None
    #: Whether the CRM doesn't know the customer.
    unknown: bool
    may_identify: bool
    #: Whether any of the customer's addresses also belongs to another customer.
    shared: bool
    #: The time of day where the customer is, if it differs from the viewer's.
    local_time: time | None
    #: URL of the customer's page in the CRM; empty if there is none that a browser may open.
    url: str


@dataclass(frozen=True)
class Search:
    """A search for customers in the CRM: the search terms, and the customers that the viewer may choose."""

    words: str
    found: Sequence[Customer]
    error: str = ""

    @property
    def searched(self) -> bool:
        return bool(self.words)


@dataclass(frozen=True)
class ChatLinks(Shown):
    """The conversation's web chat links. ``new_address``: URL of the link just created, which is shown only once."""

    template = "parts/chat_links.html"

    conversation: Conversation
    links: Sequence[ChatLink]
    may_make: bool
    new_address: str = ""


@dataclass(frozen=True)
class CallButtons(Shown):
    """The buttons that call the customer. ``called``: the call was started; ``error``: why it wasn't."""

    template = "parts/call.html"

    conversation: Conversation
    #: The channels over which the customer can be called now.
    lines: Sequence[Channel]
    #: Identifies the form, so that a form sent twice results in a single call.
    key: str
    back: str
    called: bool = False
    error: str = ""


@dataclass(frozen=True)
class OpenState:
    """The state of an open page: the version of its messages, and whether the customer is typing."""

    version: str
    typing: bool
    #: Colleagues who have the conversation open as well.
    others: Sequence[presence.Other] = ()
    #: A kind refusal if the customer asks for a private contact; else "".
    refusal: str = ""


@dataclass(frozen=True)
class Talk:
    """One conversation with everything shown around it."""

    conversation: Conversation
    window: Window
    state: OpenState
    #: The message named in the URL, around which the window lies.
    around: Message | None
    #: Whether there is a web chat, where each side sees that the other is typing.
    chats: bool
    composer: Composer
    may_write: bool
    note_form: NoteForm
    card: Card
    chat_links: ChatLinks
    call: CallButtons
    search: Search | None = None
    #: Whether something on the card was just asked for, so that it must be in view.
    card_open: bool = False
    #: The limits on the customer's contact that apply now.
    restrictions: Sequence[Restriction] = ()
    #: Number of messages that a limit keeps from the viewer, who answers, until they ask for them.
    kept_back: int = 0
    #: Why the addresses weren't shown, and the reason that was typed.
    unmask_error: str = ""
    #: Whether a second person has just been asked to approve.
    unmask_asked: bool = False
    unmask_reason: str = ""


def find(viewer: Employee, pk: Any) -> Conversation:
    """Return the conversation. Raise Http404 if the viewer may not read it."""
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
    may_write: bool | None = None,
) -> Talk:
    """Return a conversation with the window of messages that the request's URL selects.

    ``may_write``: whether the viewer may answer in it, if the caller knows.
    """
    may_write = permissions.may_write(viewer, conversation) if may_write is None else may_write
    prefetch_related_objects([conversation.customer], "addresses")
    limited = of_customer(conversation.customer)
    kept = _kept_back(conversation, limited) if may_write and "kept" not in request.GET else None
    first = kept.first() if kept is not None else None
    if kept is not None and first is not None:
        window, place = thread.newest(conversation, permissions.findings(viewer), before=first), None
    else:
        window, place = window_of(request, viewer, conversation)
    state = open_state(conversation, window.lines[0].message if window.lines else None)
    links = chat_links(conversation, may_write=may_write, new_address=new_chat_link)
    composer = composer or composer_for(
        viewer,
        conversation,
        back=back or request.get_full_path(),
        known=Known(
            may_write=may_write,
            limited=limited,
            seen=str(window.lines[-1].message.pk) if window.lines and not window.later else None,
            has_link=bool(links.links),
            refusal=state.refusal,
        ),
    )
    return Talk(
        conversation=conversation,
        window=window,
        state=state,
        around=place,
        chats=channel_choices.webchat() is not None,
        composer=composer,
        may_write=may_write,
        note_form=note or NoteForm(),
        card=card(viewer, conversation, unmasked=unmasked),
        chat_links=links,
        call=call
        or CallButtons(
            conversation=conversation,
            lines=calling.lines(conversation) if may_write else [],
            key=uuid4().hex,
            back=composer.back,
            called=request.GET.get("called") == str(conversation.pk),
        ),
        search=search,
        card_open=bool(search or unmasked or new_chat_link or (note is not None and note.is_bound)),
        restrictions=limited,
        kept_back=kept.count() if kept is not None else 0,
    )


def _kept_back(conversation: Conversation, limited: Sequence[Restriction]) -> QuerySet[Message]:
    """Return the messages that a block keeps from the employee, oldest first."""
    rows = Message.objects.filter(conversation=conversation, direction=Direction.INBOUND).order_by("occurred_at", "id")
    since = [row.imposed_at for row in limited if row.kind == Restriction.Kind.BLOCK]
    return rows.filter(recorded_at__gte=since[0]) if since else rows.none()


def window_of(request: HttpRequest, viewer: Employee, conversation: Conversation) -> tuple[Window, Message | None]:
    """Return the window that the URL selects by ``around`` or ``before``, else the newest messages.

    The second value is the message that the window lies around, if any.
    """
    findings = permissions.findings(viewer)
    place = thread.message_of(conversation, request.GET.get("around"))
    if place is not None:
        return thread.around(conversation, findings, [place]), place
    before = thread.message_of(conversation, request.GET.get("before"))
    return thread.newest(conversation, findings, before=before), None


def open_state(conversation: Conversation, start: Message | None, others: Sequence[presence.Other] = ()) -> OpenState:
    """Return the state of an open page whose first message is ``start``."""
    typing = typing_marks.customer_is_typing(conversation)
    beside = ".".join(f"{other.name}{int(other.typing)}" for other in others)
    refusal = kind_refusal(conversation)
    version = f"{thread.version(conversation, start)}.{int(typing)}{int(bool(refusal))}{beside}"
    return OpenState(version, typing, others, refusal)


def card(viewer: Employee, conversation: Conversation, *, unmasked: bool = False) -> Card:
    """Return the customer's card. Addresses are masked unless ``unmasked`` is true."""
    customer = conversation.customer
    rows = [address for address in customer.addresses.all() if not address.dropped]
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
            for row in rows
        ],
        may_unmask=permissions.may_unmask(viewer) and not unmasked and bool(customer.addresses.all()),
        refusal=unmask_refusal(viewer, conversation) if settings.UNMASK_APPROVAL else None,
        unknown=customer.key is None,
        may_identify=permissions.may_identify_customer(viewer, conversation),
        shared=any(senders.is_shared(row) for row in rows),
        local_time=customer_now(conversation, viewer, timezone.now()),
        url=customer.url if customer.url.startswith(("/", "https://", "http://")) else "",
    )


def chat_links(conversation: Conversation, *, may_write: bool, new_address: str = "") -> ChatLinks:
    """Return up to ten of the conversation's valid web chat links; none if the viewer may not write in it."""
    now = timezone.now()
    rows = conversation.chat_links.filter(revoked_at__isnull=True, expires_at__gt=now)
    return ChatLinks(
        conversation=conversation,
        links=list(rows.select_related("created_by").order_by("-created_at")[:10]) if may_write else [],
        may_make=may_write and channel_choices.webchat() is not None,
        new_address=new_address,
    )
