"""SMS, MMS and WhatsApp through Twilio's Programmable Messaging (https://www.twilio.com/docs/messaging)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.core.checks import CheckMessage, Error
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.channels.address_kinds import PHONE, WHATSAPP, e164
from crm_contact_guard.channels.base import (
    Carried,
    CarrierEvent,
    DeliveryStatus,
    FileIn,
    MediaRef,
    OutboundMessage,
    Receipt,
)
from crm_contact_guard.channels.twilio import inbound, listing, media
from crm_contact_guard.channels.twilio.account import TwilioAccount
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.hosting.building import building

#: Characters reserved for the recording notice, which follows the text of a conversation's first message.
_NOTICE = 200
_LONGEST = 1600  # error 21617


class SmsChannel(TwilioAccount):
    """SMS. Options in addition to those of ``TwilioAccount``:

    * ``FROM`` (the company's number in E.164, or an alphanumeric sender) or ``MESSAGING_SERVICE_SID``.
    * ``MEDIA_HOSTS``: additional hosts from which media may be fetched.
    """

    address_kind = PHONE
    verbose_name = _("SMS")
    max_length = _LONGEST - _NOTICE
    charges = True
    supports_files = True
    files_by_link = True
    file_types: ClassVar[tuple[str, ...]] = (
        "image/*",
        "audio/*",
        "video/*",
        "application/pdf",
        "text/vcard",
        "text/calendar",
    )
    max_file_bytes = 5 * 1024 * 1024
    supports_carried = True

    #: Twilio's prefix for addresses of this kind.
    prefix: ClassVar[str] = ""

    # --- sending
    def send(self, message: OutboundMessage) -> Receipt:
        """Send one message.

        Twilio has no idempotency keys, but every status callback contains our message ID. If the response to an attempt
        was lost, the first callback identifies the message.
        """
        with building():
            arguments = self.build(message)
        created = self.ask(lambda client: client.messages.create(**arguments))
        if not created.sid:
            raise ChannelError("Twilio returned no message id", permanent=False, uncertain=True)
        return Receipt(
            status=DeliveryStatus.SENT, carrier_id=created.sid, detail={"carrier_status": str(created.status or "")}
        )

    def build(self, message: OutboundMessage) -> dict[str, Any]:
        """Return the arguments for ``messages.create``. Raises ChannelError for an invalid number."""
        number = e164(message.to_address)
        if not number:
            raise ChannelError("not a phone number", permanent=True, detail={"code": "21211"})
        arguments: dict[str, Any] = {"to": self.prefix + number}
        if self.options.get("FROM"):
            arguments["from_"] = self.prefix + str(self.options["FROM"]).removeprefix(self.prefix)
        if self.options.get("MESSAGING_SERVICE_SID"):
            arguments["messaging_service_sid"] = str(self.options["MESSAGING_SERVICE_SID"])
        url = self.webhook_url()
        if url:
            arguments["status_callback"] = f"{url}?{urlencode({'message': message.message_id})}"
        if message.template is not None and message.template.carrier_id:
            values = enumerate(message.template.variables.values(), start=1)
            arguments["content_sid"] = message.template.carrier_id
            arguments["content_variables"] = json.dumps(
                {str(number): value for number, value in values}, ensure_ascii=False
            )
            return arguments
        text = self.text(message)
        if text:
            arguments["body"] = text
        if message.files:
            arguments["media_url"] = [file.url for file in message.files]
        return arguments

    def text(self, message: OutboundMessage) -> str:
        """Return the text, followed by the recording notice in a conversation's first message."""
        notice = "" if message.references else message.notice
        return "\n\n".join(part for part in (message.text, notice) if part)

    # --- receiving
    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        """Parse an inbound message, or a status of an outbound one (see ``inbound``)."""
        return inbound.events(
            self.values(request), channel=self.alias, prefix=self.prefix, message_id=request.GET.get("message", "")
        )

    def fetch(self, media: MediaRef) -> FileIn:
        """Fetch the file from Twilio's hosts. The credentials are sent only to the API."""
        return self.fetch_media(media)

    def fetch_media(self, reference: MediaRef) -> FileIn:
        return media.fetch(
            reference,
            api=str(self.options.get("API_URL") or media.API).rstrip("/"),
            account=str(self.options["ACCOUNT_SID"]),
            user=(
                str(self.options.get("API_KEY") or self.options["ACCOUNT_SID"]),
                str(self.options.get("API_SECRET") or self.secrets("AUTH_TOKEN")[0]),
            ),
            hosts=(*media.HOSTS, *self.options.get("MEDIA_HOSTS", ())),
        )

    def carried(self, day: date) -> Iterable[Carried]:
        """Return the messages that Twilio lists for the day and this channel's sender."""
        return self.ask(lambda client: list(listing.messages(client, self, day)))

    def is_ours(self, address: str, service: str | None) -> bool:
        """Whether a listed message belongs to this channel, and not to another sender of the account."""
        if not address.startswith(self.prefix) or (not self.prefix and ":" in address):
            return False
        if self.options.get("MESSAGING_SERVICE_SID") and service == self.options["MESSAGING_SERVICE_SID"]:
            return True
        return bool(self.options.get("FROM")) and address.removeprefix(self.prefix) == str(
            self.options["FROM"]
        ).removeprefix(self.prefix)

    # --- settings
    def check(self) -> Iterator[CheckMessage]:
        """Run the account's checks. E124: no sender is configured."""
        yield from super().check()
        if not (self.options.get("FROM") or self.options.get("MESSAGING_SERVICE_SID")):
            where = f'CONTACT_GUARD["CHANNELS"]["{self.alias}"]["OPTIONS"]'
            hint = "The company's number as +819012345678, or a Messaging Service (MG…)."
            yield Error(
                f'{where} has neither "FROM" nor "MESSAGING_SERVICE_SID"', hint=hint, id="crm_contact_guard.E124"
            )


class WhatsAppChannel(SmsChannel):
    """WhatsApp through a Twilio sender. Takes the options of ``SmsChannel``; ``FROM`` is the sender's number."""

    address_kind = WHATSAPP
    verbose_name = _("WhatsApp")
    prefix = "whatsapp:"
    max_files = 1
    file_types = ("image/jpeg", "image/png", "image/webp", "audio/*", "video/mp4", "application/pdf", "text/vcard")
    max_file_bytes = 16 * 1024 * 1024
    session_window = timedelta(hours=24)
    supports_templates = True
