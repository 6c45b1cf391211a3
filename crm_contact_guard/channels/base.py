"""What a channel is: the contract between the gateway and one folder per carrier. No models, no database here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from django.core.checks import CheckMessage
from django.http import HttpRequest, HttpResponse


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
class FileIn:
    """A file that came with a message; ``kind`` is "attachment" or "original" (the carrier's payload as received)."""

    name: str
    content_type: str
    content: bytes
    kind: str = "attachment"


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


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the carrier answered to a send."""

    status: DeliveryStatus
    carrier_id: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class InboundMessage:
    """A customer's message as a carrier handed it in.

    ``event_id`` is the carrier's id of the event (deduplicated on), ``reply_tokens`` our own tokens found in it,
    ``references`` carrier ids of earlier messages, newest last. ``text`` is what the customer newly wrote,
    ``quoted`` the quoted history and signature: kept, but not scanned as the customer's words.
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
    details: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class StatusEvent:
    """A carrier's later word on an outbound message, found by ``carrier_id``."""

    channel: str
    event_id: str
    carrier_id: str
    status: DeliveryStatus
    occurred_at: datetime
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class UnknownEvent:
    """An event we can't read further; it is recorded with its payload all the same."""

    channel: str
    event_id: str
    occurred_at: datetime
    payload: str
    reason: str


CarrierEvent = InboundMessage | StatusEvent | UnknownEvent


class Channel:
    """One configured channel. Subclass per carrier; ``alias`` is its name in ``CONTACT_GUARD["CHANNELS"]``."""

    #: Which kind of customer address it reaches ("email", "phone", "line", "whatsapp", "chat").
    address_kind: ClassVar[str]
    #: Words for people; translatable.
    verbose_name: ClassVar[Any]
    #: A customer without such an address can't be reached; the web chat needs none.
    needs_address: ClassVar[bool] = True
    #: Sending the same message id twice gives one message at the reader's.
    supports_idempotency: ClassVar[bool] = False
    supports_subject: ClassVar[bool] = False
    supports_files: ClassVar[bool] = False
    #: The carrier reports delivered or read.
    supports_status: ClassVar[bool] = False
    #: It has a webhook at ``webhooks/<alias>/``.
    supports_webhook: ClassVar[bool] = False
    #: Longest text in characters, None: the gateway's own limit only.
    max_length: ClassVar[int | None] = None

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        self.alias = alias
        self.options = options

    # --- subclass implementation
    def send(self, message: OutboundMessage) -> Receipt:
        """Hand one message to the carrier, over the network.

        Raises ChannelError, with ``permanent`` telling whether another try can help.
        """
        raise NotImplementedError(f"{type(self).__name__}.send")

    def verify(self, request: HttpRequest) -> None:
        """Check a webhook's signature over the raw body, before parsing. Raises InvalidPayload."""
        raise NotImplementedError(f"{type(self).__name__}.verify")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        """Read a verified webhook. Raises InvalidPayload for what can't be read at all."""
        raise NotImplementedError(f"{type(self).__name__}.parse")

    def answer(self, request: HttpRequest) -> HttpResponse:
        """What the carrier wants to hear after its events were recorded."""
        return HttpResponse(status=204)

    def own_domains(self) -> tuple[str, ...]:
        """Mail domains that belong to the company because this channel sends from them."""
        return ()

    def check(self) -> Iterator[CheckMessage]:
        """What is missing or wrong in this channel's options."""
        yield from ()
