"""What a channel returns: customers' messages, status reports and other events from a carrier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from crm_contact_guard.channels.outgoing import DeliveryStatus
from crm_contact_guard.channels.storable import Storable, one_line

#: Key in the details of an inbound message that must not be answered automatically, with the reason (RFC 3834 §2).
UNANSWERABLE: Final = "no_automatic_reply"


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
