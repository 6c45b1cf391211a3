"""The contract between the gateway and the channels, which have one package per carrier.

This module uses neither models nor the database.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, BinaryIO, ClassVar, Final

from django.core.checks import CheckMessage
from django.http import HttpRequest, HttpResponse

from crm_contact_guard.channels.address_kinds import AddressKind
from crm_contact_guard.proof.canonical import canonical_text

#: Key in the details of an inbound message that must not be answered automatically, with the reason (RFC 3834 §2).
UNANSWERABLE: Final = "no_automatic_reply"


class Storable:
    """Base class for data from a carrier.

    Removes NUL and lone surrogates from strings, since databases can't store them. Where the original payload matters,
    it is kept as a file.
    """

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, str) and not isinstance(value, StrEnum):
                cleaned = canonical_text(value)
                if cleaned is not value:
                    object.__setattr__(self, name, cleaned)  # the dataclasses are frozen


def one_line(text: str) -> str:
    """Return ``text`` with a space in place of each control character and line break (Unicode's Cc, Zl and Zp)."""
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
    """A file belonging to a message. ``kind`` is "attachment" or "original" (the carrier's payload as received).

    ``name`` and ``content_type`` are later used in headers, so control characters and line breaks in them become
    spaces.
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

    ``content_type`` is detected from the content, and ``size`` is in bytes. ``url`` is a signed link for carriers that
    fetch files themselves; it is empty if ``PUBLIC_URL`` is not set. Anyone who has the link can read the file, so pass
    it only to the carrier.
    """

    name: str
    content_type: str
    size: int
    sha256: str
    open: Callable[[], BinaryIO] = field(repr=False, compare=False)
    url: str = field(default="", repr=False)

    def read(self) -> bytes:
        """Return the whole content."""
        with self.open() as stream:
            return stream.read()


@dataclass(frozen=True, kw_only=True)
class OutboundTemplate:
    """The approved template of a message. ``OutboundMessage.text`` is the template with its variables filled in.

    ``carrier_id`` is the carrier's name or ID for the template in this channel and language (WhatsApp: template name,
    Twilio: ContentSid), or empty. ``variables`` are in the order in which the text uses them.
    """

    name: str
    language: str
    variables: Mapping[str, str]
    carrier_id: str = ""


@dataclass(frozen=True, kw_only=True)
class OutboundMessage:
    """A message to send. ``message_id`` is our ID, which is also the idempotency key for the carrier."""

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
    #: The notice saying that the conversation is recorded, by whom and why.
    notice: str = ""
    occurred_at: datetime
    #: Whether an earlier attempt may already have been delivered.
    possible_duplicate: bool = False
    #: Whether nobody wrote the message, so that other machines must not answer it (RFC 3834).
    automatic: bool = False
    files: tuple[OutboundFile, ...] = ()
    template: OutboundTemplate | None = None


@dataclass(frozen=True, kw_only=True)
class PhoneCall:
    """A call requested by an employee. The carrier calls the employee, then the customer, and connects them.

    ``call_id`` is our ID. The employee never sees ``to_address``. The channel looks up the employee's phone number in
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
    """A file that the carrier holds, to be fetched with ``Channel.fetch`` once its message is recorded.

    ``ref`` is what the channel needs to fetch the file (an ID or a URL). It is stored, so it must not contain secrets.
    """

    ref: str
    name: str = ""
    content_type: str = ""


@dataclass(frozen=True, kw_only=True)
class InboundMessage(Storable):
    """A customer's message from a carrier.

    ``event_id`` is the carrier's ID for the event, used for deduplication. ``reply_tokens`` are our tokens found in the
    message. ``references`` are the carrier's IDs of earlier messages, newest last. ``text`` is the new text, and
    ``quoted`` the quoted history and signature. Quoted text that doesn't occur in an earlier message is treated as new.
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
    #: Files that the carrier still holds. A task fetches them, so that the webhook can be answered at once.
    media: tuple[MediaRef, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class StatusEvent(Storable):
    """A carrier's status report on an outbound message, which is found by ``carrier_id``.

    ``message_id`` is our ID, if the carrier returns it (in WhatsApp's ``biz_opaque_callback_data`` or in a query
    parameter of Twilio's callback URL). It identifies the message if the report arrives before the response to
    ``send``, or if that response was lost.
    """

    channel: str
    event_id: str
    carrier_id: str
    status: DeliveryStatus
    occurred_at: datetime
    message_id: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


class ContactKind(StrEnum):
    """The kind of an opt-out or opt-in. The first five stop messages to an address; the others allow them again."""

    STOP = "stop"
    UNFOLLOW = "unfollow"
    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    START = "start"
    FOLLOW = "follow"

    @property
    def allows(self) -> bool:
        """Whether messages may be sent to the address after this event."""
        return self in (ContactKind.START, ContactKind.FOLLOW)


@dataclass(frozen=True, kw_only=True)
class ContactEvent(Storable):
    """A change in whether messages may be sent to an address.

    A word such as STOP results in two events with different IDs: an ``InboundMessage`` and a ``ContactEvent``. Only a
    permanent bounce (unknown mailbox, number not in use) is a ``BOUNCE``; a message that merely failed is a
    ``StatusEvent``. ``detail`` contains the carrier's own words, for the record.

    ``carrier_id`` is the ID of the outbound message that the event is about. It is set if the event could be forged,
    such as a bounce received by email. The event is then ignored unless one of these applies:

    * The outbound message is on record and was sent to this address.
    * The outbound message isn't on record, but one of ``reply_tokens`` belongs to a conversation with the customer who
      has this address.

    ``is_forgeable`` requires the same check if there is no ``carrier_id``. If ``address`` is empty, the address is
    taken from the outbound message or the conversation.
    """

    channel: str
    event_id: str
    address: str
    kind: ContactKind
    occurred_at: datetime
    carrier_id: str = ""
    reply_tokens: tuple[str, ...] = ()
    is_forgeable: bool = False
    #: The person's name, if the carrier supplies it (as for a new follower).
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
    """A finished phone call between the company and a customer, recorded as a note.

    ``address`` is the customer's phone number. ``call_id`` is the ID of the ``PhoneCall`` if an employee requested the
    call.
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
    """A notice that the customer unsent the message ``carrier_id``. The message stays in the record."""

    channel: str
    event_id: str
    carrier_id: str
    occurred_at: datetime


@dataclass(frozen=True, kw_only=True)
class UnknownEvent(Storable):
    """An event that can't be parsed, recorded with its payload."""

    channel: str
    event_id: str
    occurred_at: datetime
    payload: str
    reason: str


CarrierEvent = InboundMessage | StatusEvent | ContactEvent | CallEvent | TakenBack | UnknownEvent


@dataclass(frozen=True, kw_only=True)
class Carried(Storable):
    """A message or call in the carrier's own log (``Channel.carried``).

    It is looked up in the record by ``carrier_id``, the same ID as in ``Receipt``, ``InboundMessage`` and
    ``CallEvent``. If it is missing there, ``event`` is recorded. ``event`` is the one that the webhook would have
    delivered, with the same ``event_id``, or None if it can't be recovered (an outbound message that wasn't sent
    through this app).
    """

    carrier_id: str
    inbound: bool
    occurred_at: datetime
    event: CarrierEvent | None = None


class Channel:
    """A configured channel, with one subclass per carrier. ``alias`` is its name in ``CONTACT_GUARD["CHANNELS"]``."""

    #: Kind of customer address that the channel sends to: its own, or a shared one such as ``address_kinds.PHONE``.
    address_kind: ClassVar[AddressKind]
    #: Name shown to users; translatable.
    verbose_name: ClassVar[Any]
    #: Whether the customer must have an address of this kind. The web chat needs none.
    needs_address: ClassVar[bool] = True
    #: Whether customers read and write on our own page, opened by a link, as with the web chat.
    on_our_page: ClassVar[bool] = False
    #: Whether ``send`` accepts written messages; a phone line does not.
    supports_text: ClassVar[bool] = True
    #: Whether sending the same message ID twice delivers only one message.
    supports_idempotency: ClassVar[bool] = False
    #: How long the carrier remembers a message ID. Later repeats may be delivered twice. None: without limit.
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
    #: How long free text is allowed after the customer's last message. After that, only templates are. None: always.
    session_window: ClassVar[timedelta | None] = None
    #: Whether the carrier charges for each message, even for an answer to the customer.
    charges: ClassVar[bool] = False
    #: Whether the carrier has its own templates (``OutboundTemplate.carrier_id``).
    supports_templates: ClassVar[bool] = False
    #: Whether ``call`` can connect an employee and a customer by phone.
    supports_calls: ClassVar[bool] = False
    #: Whether ``carried`` lists the carrier's log.
    supports_carried: ClassVar[bool] = False
    #: Messages per minute that the carrier accepts from one account. None: no known limit.
    per_minute: ClassVar[int | None] = None
    #: Whether the carrier reports that a message was delivered or read.
    supports_status: ClassVar[bool] = False
    #: Whether ``name_of`` can ask the carrier for people's names, since its webhooks contain none.
    supports_names: ClassVar[bool] = False
    #: Whether the channel has a webhook at ``webhooks/<alias>/``.
    supports_webhook: ClassVar[bool] = False
    #: Longest text in characters. None: only the gateway's limit applies.
    max_length: ClassVar[int | None] = None

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        self.alias = alias
        self.options = options

    def secrets(self, name: str) -> tuple[str, ...]:
        """Return all valid values of an option that is a string or a list of strings.

        A list (``["new", "old"]``) lets you rotate a secret: all values are accepted, and the first one is used for
        sending.
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
        """Return the length of ``text`` as the carrier counts it, for ``max_length``. Default: characters."""
        return len(text)

    def verify(self, request: HttpRequest) -> None:
        """Check a webhook's signature over the raw body, before parsing. Raises InvalidPayload."""
        raise NotImplementedError(f"{type(self).__name__}.verify")

    def refuse(self, request: HttpRequest) -> HttpResponse:
        """Return the response to a request that ``verify`` refused.

        Override this to return 401 if the carrier waits for a challenge.
        """
        return HttpResponse("signature refused", status=403, content_type="text/plain")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        """Parse a verified webhook, which may contain any number of events, without making network requests.

        An individual event that can't be parsed becomes an ``UnknownEvent``. Raises InvalidPayload if the request can't
        be parsed at all; it is then recorded as one ``UnknownEvent``, as after any other exception. Raises ChannelError
        if the carrier should repeat the request.
        """
        raise NotImplementedError(f"{type(self).__name__}.parse")

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Return the response to the carrier once its events are recorded."""
        return HttpResponse(status=204)

    def fetch(self, media: MediaRef) -> FileIn:
        """Fetch a file that an inbound message refers to. Raises ChannelError."""
        raise NotImplementedError(f"{type(self).__name__}.fetch")

    def name_of(self, address: str) -> str:
        """Return the name that a person uses at the carrier, which may be empty. Raises ChannelError.

        A task calls this.
        """
        raise NotImplementedError(f"{type(self).__name__}.name_of")

    def call(self, call: PhoneCall) -> Receipt:
        """Ask the carrier to call the employee and connect the customer. Raises ChannelError."""
        raise NotImplementedError(f"{type(self).__name__}.call")

    def carried(self, day: date) -> Iterable[Carried]:
        """Return the messages and calls in the carrier's log for ``day`` (UTC) in both directions.

        Raises ChannelError.
        """
        raise NotImplementedError(f"{type(self).__name__}.carried")

    def own_domains(self) -> tuple[str, ...]:
        """Return the company's email domains that this channel sends from."""
        return ()

    def check(self) -> Iterator[CheckMessage]:
        """Run system checks on this channel's options."""
        yield from ()
