"""LINE Official Account: push messages out, webhooks in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.core.checks import CheckMessage, Error, Warning
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.channels.base import CarrierEvent, Channel, FileIn, MediaRef, OutboundMessage, Receipt
from crm_contact_guard.channels.names import Names, Profile
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError, InvalidPayload

if TYPE_CHECKING:
    from crm_contact_guard.channels.line.api import LineApi

_DEFAULT_TIMEOUT = 10


class LineChannel(Channel):
    """LINE Official Account. Options: ``CHANNEL_ACCESS_TOKEN``, ``CHANNEL_SECRET`` (one, or a list while it is
    exchanged), ``NOTICE`` (whether a conversation's first message carries the notice of recording, True), ``TIMEOUT``
    (seconds a call, 10), ``HOST`` (instead of LINE's)."""

    address_kind = "line"
    verbose_name = _("LINE")
    #: ``X-Line-Retry-Key``; LINE keeps a key for 24 hours, longer than the outbox tries, unless nobody works meanwhile.
    supports_idempotency = True
    idempotency_lasts = timedelta(hours=23)
    supports_webhook = True
    supports_files = True
    #: LINE fetches images itself; of all other files the customer gets a link.
    files_by_link = True
    #: Text, notice and three files make five message objects, the most that one push takes.
    max_files = 3
    max_length = 5000

    def length(self, text: str) -> int:
        """LINE counts UTF-16 code units: an emoji is two."""
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def send(self, message: OutboundMessage) -> Receipt:
        """One push message. The retry key is the message's id, so that no repetition reaches the customer twice."""
        from crm_contact_guard.channels.line.outbound import message_objects  # noqa: PLC0415 - the extra's library

        objects = message_objects(message, with_notice=bool(self.options.get("NOTICE", True)))
        return self._api.push(message.to_address, objects, retry_key=message.message_id)

    def verify(self, request: HttpRequest) -> None:
        from linebot.v3.webhook import SignatureValidator  # noqa: PLC0415 - the extra's library

        given = request.headers.get("X-Line-Signature", "")
        try:
            body = request.body.decode()
        except UnicodeDecodeError as error:
            raise InvalidPayload("not UTF-8") from error
        if not any(SignatureValidator(secret).validate(body, given) for secret in self.secrets("CHANNEL_SECRET")):
            raise InvalidPayload("X-Line-Signature does not match")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        from crm_contact_guard.channels.line.events import EventReader  # noqa: PLC0415 - the extra's library

        return list(EventReader(self.alias, self._names.of).read(request.body))

    def answer(self, request: HttpRequest) -> HttpResponse:
        """LINE's console wants 200, also for its verification, which brings no events."""
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

    @cached_property
    def _names(self) -> Names:
        return Names(self._profile)

    def _profile(self, user: str) -> Profile:
        return self._api.profile(user)

    def check(self) -> Iterator[CheckMessage]:
        """E141: the extra is missing. E142: no access token. E143: no secret. W141: LINE can't fetch our images."""
        where = f'CONTACT_GUARD["CHANNELS"]["{self.alias}"]["OPTIONS"]'
        if find_spec("linebot") is None:
            hint = 'pip install "crm-contact-guard[line]"'
            yield Error(f"Channel {self.alias!r} needs line-bot-sdk", hint=hint, id="crm_contact_guard.E141")
        yield from self._missing(where)
        if not str(settings.PUBLIC_URL).startswith("https://"):
            hint = "LINE fetches images from us, over https only. Text is not concerned."
            yield Warning(f"Channel {self.alias!r} can't send images", hint=hint, id="crm_contact_guard.W141")

    def _missing(self, where: str) -> Iterator[CheckMessage]:
        if not self.secrets("CHANNEL_ACCESS_TOKEN"):
            hint = "LINE Developers Console, Messaging API, Channel access token (long-lived)."
            yield Error(f'{where}["CHANNEL_ACCESS_TOKEN"] is missing', hint=hint, id="crm_contact_guard.E142")
        if not self.secrets("CHANNEL_SECRET"):
            hint = "LINE Developers Console, Basic settings, Channel secret. Without it nothing can be received."
            yield Error(f'{where}["CHANNEL_SECRET"] is missing', hint=hint, id="crm_contact_guard.E143")
