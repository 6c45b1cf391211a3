"""The channel for a LINE Official Account. It sends push messages and receives webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.core.checks import CheckMessage, Error, Warning
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.channels.address_kinds import AddressKind
from crm_contact_guard.channels.base import CarrierEvent, Channel, FileIn, MediaRef, OutboundMessage, Receipt
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError, InvalidPayload
from crm_contact_guard.hosting.building import building

if TYPE_CHECKING:
    from crm_contact_guard.channels.line.api import LineApi

_DEFAULT_TIMEOUT = 10


class LineChannel(Channel):
    """LINE Official Account. Options:

    * ``CHANNEL_ACCESS_TOKEN``, ``CHANNEL_SECRET``: each a string, or a list during a rotation.
    * ``NOTICE``: whether the recording notice precedes a conversation's first message (default True).
    * ``TIMEOUT``: seconds per request (default 10).
    * ``HOST``: used instead of LINE's hosts.
    """

    address_kind = AddressKind("line", _("LINE"))
    verbose_name = _("LINE")
    #: Uses ``X-Line-Retry-Key``. LINE remembers a key for 24 hours, which is longer than the outbox retries as long as
    #: workers run.
    supports_idempotency = True
    idempotency_lasts = timedelta(hours=23)
    #: Push messages count towards the account's monthly plan.
    charges = True
    supports_webhook = True
    supports_names = True
    supports_files = True
    #: LINE fetches images itself; for other files the customer gets a link.
    files_by_link = True
    #: Text, notice and three files are five message objects, the limit of one push.
    max_files = 3
    max_length = 5000

    def length(self, text: str) -> int:
        """Return the length in UTF-16 code units, as LINE counts it. Most emoji count as two."""
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def send(self, message: OutboundMessage) -> Receipt:
        """Send one push message. The retry key is the message's ID, so repeats are not delivered twice."""
        from crm_contact_guard.channels.line.outbound import message_objects  # noqa: PLC0415 - the extra's library

        with building():
            objects = message_objects(message, with_notice=bool(self.options.get("NOTICE", True)))
        return self._api.push(message.to_address, objects, retry_key=message.message_id)

    def verify(self, request: HttpRequest) -> None:
        from linebot.v3.webhook import SignatureValidator  # noqa: PLC0415 - the extra's library

        signature = request.headers.get("X-Line-Signature", "")
        try:
            body = request.body.decode()
        except UnicodeDecodeError as error:
            raise InvalidPayload("not UTF-8") from error
        if not any(SignatureValidator(secret).validate(body, signature) for secret in self.secrets("CHANNEL_SECRET")):
            raise InvalidPayload("X-Line-Signature does not match")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        from crm_contact_guard.channels.line.events import EventReader  # noqa: PLC0415 - the extra's library

        return list(EventReader(self.alias).read(request.body))

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Return 200, as LINE expects, also for the console's verification request, which contains no events."""
        return HttpResponse(status=200)

    def fetch(self, media: MediaRef) -> FileIn:
        return self._api.content(media, most=int(settings.MAX_INBOUND_BYTES))

    @cached_property
    def _api(self) -> LineApi:
        from crm_contact_guard.channels.line.api import LineApi  # noqa: PLC0415 - the extra's library

        tokens = self.secrets("CHANNEL_ACCESS_TOKEN")
        if not tokens:
            raise ChannelError("no CHANNEL_ACCESS_TOKEN is configured", permanent=False)
        return LineApi(
            tokens[0],
            timeout=float(self.options.get("TIMEOUT", _DEFAULT_TIMEOUT)),
            host=str(self.options.get("HOST", "")),
        )

    def name_of(self, address: str) -> str:
        return self._api.name(address)

    def check(self) -> Iterator[CheckMessage]:
        """E141: missing extra. E142: no access token. E143: no secret. W141: no https URL for images."""
        where = f'CONTACT_GUARD["CHANNELS"]["{self.alias}"]["OPTIONS"]'
        if find_spec("linebot") is None:
            hint = 'pip install "crm-contact-guard[line]"'
            yield Error(f"Channel {self.alias!r} needs line-bot-sdk", hint=hint, id="crm_contact_guard.E141")
        yield from self._missing(where)
        if not str(settings.PUBLIC_URL).startswith("https://"):
            hint = "LINE fetches images from PUBLIC_URL, which must be https. Text messages are not affected."
            yield Warning(f"Channel {self.alias!r} can't send images", hint=hint, id="crm_contact_guard.W141")

    def _missing(self, where: str) -> Iterator[CheckMessage]:
        if not self.secrets("CHANNEL_ACCESS_TOKEN"):
            hint = "LINE Developers Console, Messaging API, Channel access token (long-lived)."
            yield Error(f'{where}["CHANNEL_ACCESS_TOKEN"] is missing', hint=hint, id="crm_contact_guard.E142")
        if not self.secrets("CHANNEL_SECRET"):
            hint = "LINE Developers Console, Basic settings, Channel secret. Without it no message can be received."
            yield Error(f'{where}["CHANNEL_SECRET"] is missing', hint=hint, id="crm_contact_guard.E143")
