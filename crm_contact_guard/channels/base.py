"""The contract between the gateway and the channels, which have one package per carrier.

``Channel`` is the base class of all channels. What it takes is defined in ``outgoing``, and what it returns in
``incoming``; both can be imported from here. This package uses neither models nor the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

from django.core.checks import CheckMessage
from django.http import HttpRequest, HttpResponse

from crm_contact_guard.channels.address_kinds import AddressKind
from crm_contact_guard.channels.incoming import (
    UNANSWERABLE,
    CallEvent,
    CallOutcome,
    Carried,
    CarrierEvent,
    ContactEvent,
    ContactKind,
    FileIn,
    InboundMessage,
    MediaRef,
    StatusEvent,
    TakenBack,
    UnknownEvent,
)
from crm_contact_guard.channels.outgoing import (
    DeliveryStatus,
    OutboundFile,
    OutboundMessage,
    OutboundTemplate,
    PhoneCall,
    Receipt,
)

__all__ = [
    "UNANSWERABLE", "CallEvent", "CallOutcome", "Carried", "CarrierEvent", "Channel", "ContactEvent", "ContactKind",
    "DeliveryStatus", "FileIn", "InboundMessage", "MediaRef", "OutboundFile", "OutboundMessage", "OutboundTemplate",
    "PhoneCall", "Receipt", "StatusEvent", "TakenBack", "UnknownEvent",
]  # fmt: skip


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
