"""What the gateway passes to a channel, such as a message or a requested call, and the carrier's response to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO

from crm_contact_guard.channels.storable import Storable


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
