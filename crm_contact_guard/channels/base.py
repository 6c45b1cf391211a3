"""The contract between the gateway and the channels, one folder per carrier. Uses no models and no database."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, BinaryIO, ClassVar

from django.core.checks import CheckMessage
from django.http import HttpRequest, HttpResponse

from crm_contact_guard.channels.address_kinds import AddressKind
from crm_contact_guard.proof.canonical import canonical_text


class Storable:
    """Base of data from a carrier. Removes NUL and lone surrogates from texts, which databases can't store.

    Where the original payload matters, it is kept as a file.
    """

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, str) and not isinstance(value, StrEnum):
                cleaned = canonical_text(value)
                if cleaned is not value:
                    object.__setattr__(self, name, cleaned)  # the dataclasses are frozen


def one_line(text: str) -> str:
    """``text`` with a space for each control character and line break (Unicode's Cc, Zl and Zp)."""
    return "".join(" " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character for character in text)


class DeliveryStatus(StrEnum):
    """The delivery states that a carrier reports, in their usual order."""

    QUEUED = "queued"
    ATTEMPTED = "attempted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, kw_only=True)
class FileIn(Storable):
    """A file of a message. ``kind`` is "attachment" or "original" (the carrier's payload as received).

    Name and type become parts of headers later, so control characters and line breaks become spaces.
    """

    name: str
    content_type: str
    content: bytes
    kind: str = "attachment"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("name", "content_type"):
            value = getattr(self, name)
            if not value.isprintable():
                object.__setattr__(self, name, one_line(value))


@dataclass(frozen=True, kw_only=True)
class OutboundFile:
    """A file to send. Its content is read only when ``open()`` is called, which returns a binary stream.

    ``content_type`` was detected from the content, ``size`` is in bytes. ``url`` is a signed link for carriers that
    fetch files themselves; empty if ``PUBLIC_URL`` is not set. Everyone who has the link can read the file, so pass it
    to the carrier only.
    """

    name: str
    content_type: str
    size: int
    sha256: str
    open: Callable[[], BinaryIO] = field(repr=False, compare=False)
    url: str = field(default="", repr=False)

    def read(self) -> bytes:
        """The whole content."""
        with self.open() as stream:
            return stream.read()


@dataclass(frozen=True, kw_only=True)
class OutboundTemplate:
    """The approved template of a message; ``OutboundMessage.text`` is the template with its variables filled in.

    ``carrier_id`` is the carrier's name or id of the template for this channel and language (WhatsApp: template name,
    Twilio: ContentSid), or empty. ``variables`` are in the order of the text.
    """

    name: str
    language: str
    variables: Mapping[str, str]
    carrier_id: str = ""


@dataclass(frozen=True, kw_only=True)
class OutboundMessage:
    """A message to send. ``message_id`` is our id and the idempotency key for the carrier."""

    message_id: str
    to_name: str
    to_address: str
    from_name: str
    text: str
    subject: str = ""
    reply_token: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    language: str = ""
    #: The notice that the conversation is recorded, by whom and why.
    notice: str = ""
    occurred_at: datetime
    #: An earlier attempt may already have been delivered.
    possible_duplicate: bool = False
    files: tuple[OutboundFile, ...] = ()
    template: OutboundTemplate | None = None


@dataclass(frozen=True, kw_only=True)
class PhoneCall:
    """A call requested by an employee: the carrier calls the employee, then the customer, and connects them.

    ``call_id`` is our id. The employee never sees ``to_address``. The channel looks up the employee's phone number in
    its options by ``employee_key`` (the host user's key).
    """

    call_id: str
    to_address: str = field(repr=False)
    employee_key: str
    employee_name: str
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class Receipt(Storable):
    """The carrier's response to ``send`` or ``call``."""

    status: DeliveryStatus
    carrier_id: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MediaRef(Storable):
    """A file at the carrier, to be fetched (``Channel.fetch``) after its message was recorded.

    ``ref`` is what the channel needs to fetch it (an id or a URL). It is stored, so it must contain no secrets.
    """

    ref: str
    name: str = ""
    content_type: str = ""


@dataclass(frozen=True, kw_only=True)
class InboundMessage(Storable):
    """A customer's message from a carrier.

    ``event_id`` is the carrier's id of the event, used for deduplication. ``reply_tokens`` are our tokens found in it,
    ``references`` carrier ids of earlier messages, newest last. ``text`` is the new text, ``quoted`` the quoted history
    and signature; quoted text that is not in an earlier message is treated as new.
    """

    channel: str
    event_id: str
    from_address: str
    from_name: str = ""
    to_address: str = ""
    text: str
    quoted: str = ""
    subject: str = ""
    occurred_at: datetime
    carrier_id: str = ""
    reply_tokens: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    files: tuple[FileIn, ...] = ()
    #: Files still at the carrier. A task fetches them, so that the webhook is answered at once.
    media: tuple[MediaRef, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class StatusEvent(Storable):
    """A carrier's status report on an outbound message, which is found by ``carrier_id``.

    ``message_id`` is our id if the carrier returns it (WhatsApp's ``biz_opaque_callback_data``, a query parameter in
    Twilio's callback URL). It finds the message if the report arrives before the response to ``send``, or that response
    was lost.
    """

    channel: str
    event_id: str
    carrier_id: str
    status: DeliveryStatus
    occurred_at: datetime
    message_id: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


class ContactKind(StrEnum):
    """An opt-out or opt-in of an address. The first five stop messages to it, the others allow them."""

    STOP = "stop"
    UNFOLLOW = "unfollow"
    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    START = "start"
    FOLLOW = "follow"

    @property
    def allows(self) -> bool:
        """Whether the address may be written to after this."""
        return self in (ContactKind.START, ContactKind.FOLLOW)


@dataclass(frozen=True, kw_only=True)
class ContactEvent(Storable):
    """An address must not be written to any more, or may be again.

    A word such as STOP leads to two events with different ids: the ``InboundMessage`` and this one. Only a permanent
    bounce (unknown mailbox, number not in use) is a ``BOUNCE``; a failed message is a ``StatusEvent``. ``detail``
    contains the carrier's own words, for the record.

    ``carrier_id`` is the outbound message that the event is about. It is set if the event could be forged (a bounce by
    mail), which is then ignored unless that message is on record and was sent to this address, or, if it is not on
    record, one of ``reply_tokens`` belongs to a conversation with the address's customer. ``is_forgeable`` asks for
    this without a ``carrier_id``. Without ``address``, that of the message is meant.
    """

    channel: str
    event_id: str
    address: str
    kind: ContactKind
    occurred_at: datetime
    carrier_id: str = ""
    reply_tokens: tuple[str, ...] = ()
    is_forgeable: bool = False
    #: The person's name if the carrier supplies it (a new follower).
    name: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


class CallOutcome(StrEnum):
    """How a phone call ended."""

    ANSWERED = "answered"
    MISSED = "missed"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class CallEvent(Storable):
    """A finished phone call between company and customer, recorded as a note.

    ``address`` is the customer's. ``call_id`` is that of the ``PhoneCall``, if the call was requested here.
    """

    channel: str
    event_id: str
    carrier_id: str
    address: str
    inbound: bool
    started_at: datetime
    seconds: int
    outcome: CallOutcome
    call_id: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TakenBack(Storable):
    """The customer unsent the message ``carrier_id`` at the carrier. It stays in the record."""

    channel: str
    event_id: str
    carrier_id: str
    occurred_at: datetime


@dataclass(frozen=True, kw_only=True)
class UnknownEvent(Storable):
    """An event that can't be parsed. It is recorded with its payload."""

    channel: str
    event_id: str
    occurred_at: datetime
    payload: str
    reason: str


CarrierEvent = InboundMessage | StatusEvent | ContactEvent | CallEvent | TakenBack | UnknownEvent


@dataclass(frozen=True, kw_only=True)
class Carried(Storable):
    """One message or call in the carrier's own log (``Channel.carried``).

    It is looked up in the record by ``carrier_id``, the same id as in ``Receipt``, ``InboundMessage`` and
    ``CallEvent``. If it is missing, ``event`` is passed to the gateway: the event, with the ``event_id``, that the
    webhook would have delivered. None if it can't be recovered (an outbound message that was not sent from here).
    """

    carrier_id: str
    inbound: bool
    occurred_at: datetime
    event: CarrierEvent | None = None


class Channel:
    """A configured channel; one subclass per carrier. ``alias`` is its name in ``CONTACT_GUARD["CHANNELS"]``."""

    #: Kind of customer address it sends to: one of its own, or a shared one such as ``address_kinds.PHONE``.
    address_kind: ClassVar[AddressKind]
    #: Name shown to users; translatable.
    verbose_name: ClassVar[Any]
    #: Whether the customer must have such an address; the web chat needs none.
    needs_address: ClassVar[bool] = True
    #: Whether customers read and write on our own page, opened by a link, as with the web chat.
    on_our_page: ClassVar[bool] = False
    #: Whether ``send`` accepts written messages; a phone line does not.
    supports_text: ClassVar[bool] = True
    #: Whether sending the same message id twice delivers one message.
    supports_idempotency: ClassVar[bool] = False
    #: How long the carrier remembers a message id; later repeats may be delivered twice. None: without limit.
    idempotency_lasts: ClassVar[timedelta | None] = None
    supports_subject: ClassVar[bool] = False
    #: Whether messages can have files (``OutboundMessage.files``), within the three limits below.
    supports_files: ClassVar[bool] = False
    #: Patterns of accepted content types ("image/*", "application/pdf"). Empty: all.
    file_types: ClassVar[tuple[str, ...]] = ()
    #: Largest file in bytes. None: only the setting ``MAX_FILE_BYTES`` applies.
    max_file_bytes: ClassVar[int | None] = None
    max_files: ClassVar[int] = 10
    #: Whether the carrier fetches files by link (``OutboundFile.url``), so that ``PUBLIC_URL`` must be set.
    files_by_link: ClassVar[bool] = False
    #: How long after the customer's last message free text is allowed; after that only templates. None: always.
    session_window: ClassVar[timedelta | None] = None
    #: Whether the carrier has its own templates (``OutboundTemplate.carrier_id``).
    supports_templates: ClassVar[bool] = False
    #: Whether ``call`` can connect an employee and a customer by phone.
    supports_calls: ClassVar[bool] = False
    #: Whether ``carried`` lists the carrier's log.
    supports_carried: ClassVar[bool] = False
    #: Messages per minute that the carrier accepts from one account. None: no known limit.
    per_minute: ClassVar[int | None] = None
    #: Whether the carrier reports delivered or read.
    supports_status: ClassVar[bool] = False
    #: Whether ``name_of`` asks the carrier for people's names, since its webhooks contain none.
    supports_names: ClassVar[bool] = False
    #: Whether it has a webhook at ``webhooks/<alias>/``.
    supports_webhook: ClassVar[bool] = False
    #: Longest text in characters. None: only the gateway's limit applies.
    max_length: ClassVar[int | None] = None

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        self.alias = alias
        self.options = options

    def secrets(self, name: str) -> tuple[str, ...]:
        """All valid values of an option that is a string or a list of strings.

        A list (``["new", "old"]``) allows rotating a secret: all are accepted, and the first is used for sending.
        """
        option = self.options.get(name) or ()
        return tuple(str(value) for value in ([option] if isinstance(option, str) else option) if value)

    # --- subclass implementation
    def send(self, message: OutboundMessage) -> Receipt:
        """Send one message to the carrier over the network.

        Raises ChannelError with ``permanent`` (a retry can't help), ``uncertain`` (the carrier may have accepted the
        message) and ``retry_after`` (seconds, if the carrier asked to wait).
        """
        raise NotImplementedError(f"{type(self).__name__}.send")

    def length(self, text: str) -> int:
        """The length of a text as the carrier counts it, for ``max_length``. Default: characters."""
        return len(text)

    def verify(self, request: HttpRequest) -> None:
        """Check a webhook's signature over the raw body, before parsing. Raises InvalidPayload."""
        raise NotImplementedError(f"{type(self).__name__}.verify")

    def refuse(self, request: HttpRequest) -> HttpResponse:
        """The response to a request that ``verify`` refused. Return 401 for a carrier that waits for a challenge."""
        return HttpResponse("signature refused", status=403, content_type="text/plain")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        """Parse a verified webhook, which may contain any number of events. Ask nobody over the network.

        A single event that can't be parsed becomes an ``UnknownEvent``. Raises InvalidPayload if the request can't be
        parsed at all; it is then recorded as one ``UnknownEvent``, as after any other exception. Raises ChannelError
        if the carrier shall repeat the request.
        """
        raise NotImplementedError(f"{type(self).__name__}.parse")

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The response to the carrier after its events were recorded."""
        return HttpResponse(status=204)

    def fetch(self, media: MediaRef) -> FileIn:
        """Fetch a file that an inbound message referred to. Raises ChannelError."""
        raise NotImplementedError(f"{type(self).__name__}.fetch")

    def name_of(self, address: str) -> str:
        """The name that a person uses at the carrier, which a task asks for; may be empty. Raises ChannelError."""
        raise NotImplementedError(f"{type(self).__name__}.name_of")

    def call(self, call: PhoneCall) -> Receipt:
        """Ask the carrier to call the employee and connect the customer. Raises ChannelError."""
        raise NotImplementedError(f"{type(self).__name__}.call")

    def carried(self, day: date) -> Iterable[Carried]:
        """The messages and calls in the carrier's log for ``day`` (UTC), in both directions. Raises ChannelError."""
        raise NotImplementedError(f"{type(self).__name__}.carried")

    def own_domains(self) -> tuple[str, ...]:
        """Mail domains of the company that this channel sends from."""
        return ()

    def check(self) -> Iterator[CheckMessage]:
        """System checks of this channel's options."""
        yield from ()
