"""The channel for a LINE WORKS bot. It sends messages to members and receives callbacks."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage, Error
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.channels.address_kinds import AddressKind
from crm_contact_guard.channels.base import (
    CarrierEvent,
    Channel,
    DeliveryStatus,
    FileIn,
    MediaRef,
    OutboundMessage,
    Receipt,
)
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError, InvalidPayload
from crm_contact_guard.hosting.building import building
from crm_contact_guard.hosting.languages import speaking

if TYPE_CHECKING:
    from crm_contact_guard.channels.line_works.api import WorksApi

_DEFAULT_TIMEOUT = 10
_DEFAULT_SCOPE = "bot bot.read user.read"
_REQUIRED = ("BOT_ID", "CLIENT_ID", "CLIENT_SECRET", "SERVICE_ACCOUNT", "PRIVATE_KEY")
_WHERE = {
    "BOT_ID": "Developer Console, Bot: the Bot ID.",
    "CLIENT_ID": "Developer Console, API, ClientApp: the Client ID.",
    "CLIENT_SECRET": "Developer Console, API, ClientApp: the Client Secret.",
    "SERVICE_ACCOUNT": "Developer Console, API, ClientApp: issue a Service Account.",
    "PRIVATE_KEY": "Developer Console, API, ClientApp: the Service Account's Private Key, as text or file path.",
}


class LineWorksChannel(Channel):
    """LINE WORKS bot. Options:

    * ``BOT_ID``, ``CLIENT_ID``, ``CLIENT_SECRET``, ``SERVICE_ACCOUNT``.
    * ``BOT_SECRET``: a string, or a list during a rotation.
    * ``PRIVATE_KEY``: PEM text or a file's path.
    * ``SCOPE``: default "bot bot.read user.read".
    * ``NOTICE``: whether the recording notice precedes a conversation's first message (default True).
    * ``TIMEOUT``: seconds per request (default 10).
    * ``API_URL``, ``AUTH_URL``: used instead of those of LINE WORKS.
    """

    address_kind = AddressKind("line_works", gettext_lazy("LINE WORKS"))
    verbose_name = gettext_lazy("LINE WORKS")
    supports_webhook = True
    supports_names = True
    supports_files = True
    max_files = 5
    max_length = 2000
    per_minute = 240

    def send(self, message: OutboundMessage) -> Receipt:
        """Send one request for each text and each file, since a LINE WORKS message contains only one of them.

        Files are uploaded first, so that most errors occur before anything is sent. If a later part fails, a retry
        would duplicate the earlier ones. The message is then marked as failed, and the error lists what was sent. LINE
        WORKS has neither message IDs nor idempotency keys.
        """
        with building():
            contents = [("text", {"type": "text", "text": text}) for text in self._texts(message)]
        for file in message.files:
            kind = "image" if file.content_type.startswith("image/") else "file"
            contents.append((file.name, {"type": kind, "fileId": self._api.upload(file)}))
        sent: list[str] = []
        for name, content in contents:
            try:
                self._api.message(message.to_address, content)
            except ChannelError as error:
                if sent:
                    raise _partly(error, sent, [other for other, _content in contents[len(sent) :]]) from error
                raise
            sent.append(name)
        return Receipt(status=DeliveryStatus.SENT, carrier_id=f"works-{message.message_id}")

    def _texts(self, message: OutboundMessage) -> list[str]:
        notice = bool(self.options.get("NOTICE", True)) and not message.references
        with speaking(message.language):
            doubt = _("(You may have this message already.)") if message.possible_duplicate else ""
        return [text for text in (message.notice if notice else "", doubt, message.text) if text]

    def verify(self, request: HttpRequest) -> None:
        signature = request.headers.get("X-WORKS-Signature", "").encode()
        for secret in self.secrets("BOT_SECRET"):
            expected = base64.b64encode(hmac.new(secret.encode(), request.body, hashlib.sha256).digest())
            if hmac.compare_digest(expected, signature):
                return
        raise InvalidPayload("X-WORKS-Signature does not match")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        from crm_contact_guard.channels.line_works.events import read_callback  # noqa: PLC0415 - on first use

        bot_id = str(self.options.get("BOT_ID", ""))
        return [read_callback(request.body, alias=self.alias, bot_id=bot_id)]

    def answer(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=200)

    def fetch(self, media: MediaRef) -> FileIn:
        return self._api.content(media, most=int(settings.MAX_INBOUND_BYTES))

    @cached_property
    def _api(self) -> WorksApi:
        from crm_contact_guard.channels.line_works.api import Account, WorksApi  # noqa: PLC0415 - the extra's libraries

        missing = [name for name in _REQUIRED if not self.options.get(name)]
        if missing:
            raise ChannelError(f"not configured: {', '.join(missing)}", permanent=False)
        hosts: dict[str, Any] = {"api": self.options.get("API_URL"), "auth": self.options.get("AUTH_URL")}
        account = Account(
            client_id=str(self.options["CLIENT_ID"]),
            client_secret=str(self.options["CLIENT_SECRET"]),
            service_account=str(self.options["SERVICE_ACCOUNT"]),
            private_key=self._private_key(),
            bot_id=str(self.options["BOT_ID"]),
            scope=str(self.options.get("SCOPE", _DEFAULT_SCOPE)),
            **{name: str(host) for name, host in hosts.items() if host},
        )
        return WorksApi(account, timeout=float(self.options.get("TIMEOUT", _DEFAULT_TIMEOUT)))

    def _private_key(self) -> str:
        value = str(self.options["PRIVATE_KEY"])
        if "-----BEGIN" in value:
            return value
        try:
            return Path(value).read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise ChannelError(f"PRIVATE_KEY can't be read: {type(error).__name__}", permanent=False) from error

    def name_of(self, address: str) -> str:
        return self._api.name(address)

    def check(self) -> Iterator[CheckMessage]:
        """E151: missing extra. E152: missing option. E153: no secret. E154: invalid private key."""
        where = f'CONTACT_GUARD["CHANNELS"]["{self.alias}"]["OPTIONS"]'
        installed = all(find_spec(name) is not None for name in ("jwt", "urllib3"))
        if not installed:
            hint = 'pip install "crm-contact-guard[line-works]"'
            yield Error(f"Channel {self.alias!r} needs PyJWT and urllib3", hint=hint, id="crm_contact_guard.E151")
        for name in _REQUIRED:
            if not self.options.get(name):
                yield Error(f'{where}["{name}"] is missing', hint=_WHERE[name], id="crm_contact_guard.E152")
        if not self.secrets("BOT_SECRET"):
            hint = "Developer Console, Bot: the Bot Secret. Without it no message can be received."
            yield Error(f'{where}["BOT_SECRET"] is missing', hint=hint, id="crm_contact_guard.E153")
        if self.options.get("PRIVATE_KEY") and not self._key_is_usable():
            yield Error(
                f'{where}["PRIVATE_KEY"] is not an RSA key', hint=_WHERE["PRIVATE_KEY"], id="crm_contact_guard.E154"
            )

    def _key_is_usable(self) -> bool:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - for checks only
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

        try:
            return isinstance(load_pem_private_key(self._private_key().encode(), None), RSAPrivateKey)
        except (ValueError, TypeError, ChannelError):
            return False


def _partly(error: ChannelError, arrived: Sequence[str], missing: Sequence[str]) -> ChannelError:
    did_not = "perhaps did not" if error.uncertain else "did not"
    return ChannelError(
        f"{', '.join(arrived)} arrived, {', '.join(missing)} {did_not}: {error}",
        permanent=True,
        detail={**error.detail, "arrived": ", ".join(arrived), "missing": ", ".join(missing)},
    )
