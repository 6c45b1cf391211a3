"""What a channel is: the contract between the gateway and one folder per carrier. No models, no database here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, BinaryIO, ClassVar

from django.core.checks import CheckMessage
from django.http import HttpRequest, HttpResponse

from crm_contact_guard.proof.canonical import canonical_text


class Storable:
    """What a carrier says, as every database can hold it: its texts are freed of NUL and lone surrogates on the way in.

    The payload as it came is kept as a file where that matters.
    """

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, str) and not isinstance(value, StrEnum):
                cleaned = canonical_text(value)
                if cleaned is not value:
                    object.__setattr__(self, name, cleaned)  # the dataclasses are frozen


class DeliveryStatus(StrEnum):
    """What a carrier can say happened, in the order in which a message goes through them."""

    QUEUED = "queued"
    ATTEMPTED = "attempted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, kw_only=True)
class FileIn(Storable):
    """A file that came with a message; ``kind`` is "attachment" or "original" (the carrier's payload as received)."""

    name: str
    content_type: str
    content: bytes
    kind: str = "attachment"


@dataclass(frozen=True, kw_only=True)
class OutboundFile:
    """A file to carry. Nothing is read before the channel asks: ``open()`` gives a binary stream from the storage.

    ``content_type`` was found by looking at the content, ``size`` is in bytes. ``url`` is a signed link of ours for
    carriers that fetch files themselves; empty when ``PUBLIC_URL`` is not set. Whoever holds it can read the file:
    give it to the carrier only.
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
    """The approved text block that the message was written with; ``OutboundMessage.text`` is that block filled in.

    ``carrier_id`` is the carrier's own name or id of the template for this channel and language (WhatsApp: template
    name, Twilio: ContentSid); empty where the carrier knows none. ``variables`` stand in the order of the text.
    """

    name: str
    language: str
    variables: Mapping[str, str]
    carrier_id: str = ""


@dataclass(frozen=True, kw_only=True)
class OutboundMessage:
    """What a channel is asked to carry. ``message_id`` is ours and serves as the carrier's idempotency key."""

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
    #: The sentence that tells the reader that the talk is recorded, by whom and why.
    notice: str = ""
    occurred_at: datetime
    #: An earlier attempt may already have reached the reader.
    possible_duplicate: bool = False
    files: tuple[OutboundFile, ...] = ()
    template: OutboundTemplate | None = None


@dataclass(frozen=True, kw_only=True)
class PhoneCall:
    """A call that an employee asks for: the carrier rings the employee first, then the customer, and joins them.

    ``call_id`` is ours. The employee never sees ``to_address``; which telephone is the employee's, the channel knows
    from its options by ``employee_key`` (the host user's key).
    """

    call_id: str
    to_address: str = field(repr=False)
    employee_key: str
    employee_name: str
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class Receipt(Storable):
    """What the carrier answered to a send."""

    status: DeliveryStatus
    carrier_id: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MediaRef(Storable):
    """A file that stays with the carrier until it is fetched (``Channel.fetch``), after its message was recorded.

    ``ref`` is whatever the channel needs to fetch it (an id, an address), without secrets: it is stored.
    """

    ref: str
    name: str = ""
    content_type: str = ""


@dataclass(frozen=True, kw_only=True)
class InboundMessage(Storable):
    """A customer's message as a carrier handed it in.

    ``event_id`` is the carrier's id of the event (deduplicated on), ``reply_tokens`` our own tokens found in it,
    ``references`` carrier ids of earlier messages, newest last. ``text`` is what the customer newly wrote,
    ``quoted`` the quoted history and signature: kept, and what of it was not said before counts as new all the same.
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
    #: Files that are still at the carrier: a task fetches them, so that the webhook is answered at once.
    media: tuple[MediaRef, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class StatusEvent(Storable):
    """A carrier's later word on an outbound message, found by ``carrier_id``.

    ``message_id`` is ours where the carrier gives it back (WhatsApp's ``biz_opaque_callback_data``, a query in Twilio's
    callback address): it finds the message when the word overtakes the answer to ``send``, or that answer was lost.
    """

    channel: str
    event_id: str
    carrier_id: str
    status: DeliveryStatus
    occurred_at: datetime
    message_id: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


class ContactKind(StrEnum):
    """What a customer or a carrier decided about writing to an address. The first five end it, the others allow it."""

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
    """An address can't or may not be written to any more, or may again.

    A word such as STOP comes as two events with ids of their own: the ``InboundMessage`` that was written, and this.
    Only a permanent bounce (unknown mailbox, number not in use) is a ``BOUNCE``; one failed message a ``StatusEvent``.
    ``detail`` is the carrier's words, for the record.

    ``carrier_id``: the outbound message that the event is about, where everybody could have sent it (a bounce by
    mail). It counts only if that message is on record and went to this very address.
    """

    channel: str
    event_id: str
    address: str
    kind: ContactKind
    occurred_at: datetime
    carrier_id: str = ""
    #: The person's name where the carrier tells it (a new follower).
    name: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


class CallOutcome(StrEnum):
    """How a telephone call ended."""

    ANSWERED = "answered"
    MISSED = "missed"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class CallEvent(Storable):
    """A finished telephone call between company and customer; recorded as a note of a call.

    ``address`` is the customer's. ``call_id`` is that of the ``PhoneCall`` it came of, if we asked for it.
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
    """The customer took a message back at the carrier. It stays in the record; ``carrier_id`` names it."""

    channel: str
    event_id: str
    carrier_id: str
    occurred_at: datetime


@dataclass(frozen=True, kw_only=True)
class UnknownEvent(Storable):
    """An event we can't read further; it is recorded with its payload all the same."""

    channel: str
    event_id: str
    occurred_at: datetime
    payload: str
    reason: str


CarrierEvent = InboundMessage | StatusEvent | ContactEvent | CallEvent | TakenBack | UnknownEvent


@dataclass(frozen=True, kw_only=True)
class Carried(Storable):
    """One thing that the carrier says it carried (``Channel.carried``).

    Recorded or not is found by ``carrier_id``, the same id that ``Receipt``, ``InboundMessage`` and ``CallEvent`` give.
    ``event`` is what the gateway is handed if it was missed: the same event, with the same ``event_id``, that the
    webhook would have brought. None: it can't be made good from here (an outbound message that we never sent).
    """

    carrier_id: str
    inbound: bool
    occurred_at: datetime
    event: CarrierEvent | None = None


class Channel:
    """One configured channel. Subclass per carrier; ``alias`` is its name in ``CONTACT_GUARD["CHANNELS"]``."""

    #: Which kind of customer address it reaches ("email", "phone", "line", "line_works", "whatsapp", "chat").
    address_kind: ClassVar[str]
    #: Words for people; translatable.
    verbose_name: ClassVar[Any]
    #: A customer without such an address can't be reached; the web chat needs none.
    needs_address: ClassVar[bool] = True
    #: ``send`` carries written messages; a telephone line does not.
    supports_text: ClassVar[bool] = True
    #: Sending the same message id twice gives one message at the reader's.
    supports_idempotency: ClassVar[bool] = False
    #: How long the carrier knows a message id; a repeat after that is as doubtful as without one. None: for ever.
    idempotency_lasts: ClassVar[timedelta | None] = None
    supports_subject: ClassVar[bool] = False
    #: Files go with messages: ``OutboundMessage.files`` may then be filled, within the three limits below.
    supports_files: ClassVar[bool] = False
    #: Patterns of content types that the carrier takes ("image/*", "application/pdf"); empty: any.
    file_types: ClassVar[tuple[str, ...]] = ()
    #: Largest file in bytes; None: the setting ``MAX_FILE_BYTES`` only.
    max_file_bytes: ClassVar[int | None] = None
    max_files: ClassVar[int] = 10
    #: The carrier can only fetch files by link (``OutboundFile.url``), so ``PUBLIC_URL`` must be set.
    files_by_link: ClassVar[bool] = False
    #: Free text only this long after the customer's last message; later an approved template. None: always.
    session_window: ClassVar[timedelta | None] = None
    #: The carrier keeps templates of its own, which ``OutboundTemplate.carrier_id`` names.
    supports_templates: ClassVar[bool] = False
    #: ``call`` joins an employee and a customer by telephone.
    supports_calls: ClassVar[bool] = False
    #: ``carried`` lists what the carrier carried.
    supports_carried: ClassVar[bool] = False
    #: Messages a minute that the carrier takes from one account; None: it names no limit.
    per_minute: ClassVar[int | None] = None
    #: The carrier reports delivered or read.
    supports_status: ClassVar[bool] = False
    #: It has a webhook at ``webhooks/<alias>/``.
    supports_webhook: ClassVar[bool] = False
    #: Longest text in characters, None: the gateway's own limit only.
    max_length: ClassVar[int | None] = None

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        self.alias = alias
        self.options = options

    def secrets(self, name: str) -> tuple[str, ...]:
        """All valid values of an option that may be one text or a list of them.

        While a secret is exchanged at the carrier both count: ``["new", "old"]``. The first is the one to send with.
        """
        given = self.options.get(name) or ()
        return tuple(str(value) for value in ([given] if isinstance(given, str) else given) if value)

    # --- subclass implementation
    def send(self, message: OutboundMessage) -> Receipt:
        """Hand one message to the carrier, over the network.

        Raises ChannelError: ``permanent`` tells whether another try can help, ``uncertain`` that the carrier may have
        it all the same, ``retry_after`` (seconds) what a busy carrier asked for.
        """
        raise NotImplementedError(f"{type(self).__name__}.send")

    def length(self, text: str) -> int:
        """A text's length as the carrier counts it, compared with ``max_length``. Default: characters."""
        return len(text)

    def verify(self, request: HttpRequest) -> None:
        """Check a webhook's signature over the raw body, before parsing. Raises InvalidPayload."""
        raise NotImplementedError(f"{type(self).__name__}.verify")

    def refuse(self, request: HttpRequest) -> HttpResponse:
        """What a caller hears whom ``verify`` did not believe. A carrier that wants to be asked for its password first
        gets 401 here."""
        return HttpResponse("signature refused", status=403, content_type="text/plain")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        """Read a verified webhook, which may bring many events or none. Raises InvalidPayload for what can't be read
        at all; a single event that can't be read is an ``UnknownEvent``."""
        raise NotImplementedError(f"{type(self).__name__}.parse")

    def answer(self, request: HttpRequest) -> HttpResponse:
        """What the carrier wants to hear after its events were recorded."""
        return HttpResponse(status=204)

    def fetch(self, media: MediaRef) -> FileIn:
        """Fetch a file that an inbound message referred to. Raises ChannelError."""
        raise NotImplementedError(f"{type(self).__name__}.fetch")

    def call(self, call: PhoneCall) -> Receipt:
        """Ask the carrier to ring the employee and join the customer. Raises ChannelError."""
        raise NotImplementedError(f"{type(self).__name__}.call")

    def carried(self, day: date) -> Iterable[Carried]:
        """What the carrier says it carried on that day (UTC), in both directions. Raises ChannelError."""
        raise NotImplementedError(f"{type(self).__name__}.carried")

    def own_domains(self) -> tuple[str, ...]:
        """Mail domains that belong to the company because this channel sends from them."""
        return ()

    def check(self) -> Iterator[CheckMessage]:
        """What is missing or wrong in this channel's options."""
        yield from ()
