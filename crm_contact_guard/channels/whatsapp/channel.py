"""WhatsApp: sending, webhook signature and handshake, checks.

See https://developers.facebook.com/docs/whatsapp/cloud-api.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.core.checks import CheckMessage, Error
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.channels.address_kinds import WHATSAPP, e164
from crm_contact_guard.channels.base import (
    CarrierEvent,
    Channel,
    DeliveryStatus,
    FileIn,
    MediaRef,
    OutboundFile,
    OutboundMessage,
    OutboundTemplate,
    Receipt,
)
from crm_contact_guard.channels.whatsapp import events
from crm_contact_guard.channels.whatsapp.api import Api
from crm_contact_guard.exceptions import ChannelError, InvalidPayload
from crm_contact_guard.hosting import bounded_json

#: Characters reserved for the recording notice, which follows the text of a conversation's first message.
_NOTICE = 200
_LONGEST = 4096
_LONGEST_CAPTION = 1024
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
#: Business-scoped user ID, which identifies a customer who hides their phone number.
_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?\d{5,40}")
#: Larger images are sent as documents (https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media).
_LARGEST_IMAGE = 5 * 1024 * 1024
#: Content types that are not sent as documents.
_KINDS = {"image/jpeg": "image", "image/png": "image", "video/mp4": "video", "video/3gpp": "video"}


class WhatsAppChannel(Channel):
    """WhatsApp. Options:

    * ``PHONE_NUMBER_ID``, and ``ACCESS_TOKEN`` of a system user. The token may be a list during a rotation.
    * ``APP_SECRET``, ``VERIFY_TOKEN``: each may be a list during a rotation.
    * ``TEMPLATE_LANGUAGES``: maps our language codes to Meta's, such as "en" to "en_US".
    * ``NAMED_PARAMETERS``: whether templates have named variables.
    * ``TIMEOUT``: in seconds (default 20).
    * ``API_VERSION``.
    * ``API_URL``: another server with the same API.
    """

    address_kind = WHATSAPP
    verbose_name = _("WhatsApp")
    supports_webhook = True
    supports_status = True
    supports_files = True
    supports_templates = True
    session_window = timedelta(hours=24)
    max_length = _LONGEST - _NOTICE
    max_files = 1
    max_file_bytes = 16 * 1024 * 1024
    file_types = (
        "image/jpeg",
        "image/png",
        "video/mp4",
        "video/3gpp",
        "audio/*",
        "text/plain",
        "application/pdf",
        "application/msword",
        "application/vnd.*",
    )
    #: A new number may send 80 messages per second. The rate per pair of numbers is limited by error 131056.
    per_minute = 4800

    @cached_property
    def api(self) -> Api:
        return Api(self.options, self.secrets("ACCESS_TOKEN")[0])

    # --- sending
    def send(self, message: OutboundMessage) -> Receipt:
        """Send one message with our ID in ``biz_opaque_callback_data``, which every status event returns."""
        to = self.recipient(message.to_address)
        file = message.files[0] if message.files else None
        sent = self.api.ask(lambda client: self._send(client, to, message, file))
        if not sent.id:
            raise ChannelError("WhatsApp returned no message id", permanent=False, uncertain=True)
        return Receipt(status=DeliveryStatus.SENT, carrier_id=sent.id)

    def recipient(self, address: str) -> str:
        """Return the digits of the international number, or a user ID unchanged. Raises ChannelError otherwise."""
        if _USER_ID.fullmatch(address.strip()):
            return address.strip()
        number = e164(address)
        if not number:
            raise ChannelError("not a phone number", permanent=True, detail={"code": "131009"})
        return number.removeprefix("+")

    def _send(self, client: Any, to: str, message: OutboundMessage, file: OutboundFile | None) -> Any:
        ours: dict[str, Any] = {"tracker": message.message_id}
        template = message.template
        if template is not None and template.carrier_id:
            return client.send_template(
                to, template.carrier_id, self._language(template), self._parameters(template) or None, **ours
            )
        notice = "" if message.references else message.notice
        text = "\n\n".join(part for part in (message.text, notice) if part)
        if file is None:
            return client.send_message(to, text, **ours)
        return self._send_file(client, to, file, text, ours)

    def _send_file(self, client: Any, to: str, file: OutboundFile, text: str, ours: dict[str, Any]) -> Any:
        """Send a file with the text as its caption.

        Text that is too long for a caption is sent as a separate message, which is then the one returned.
        """
        media = client.upload_media(file.read(), mime_type=file.content_type, filename=file.name)
        fits = len(text) <= _LONGEST_CAPTION
        caption = {"caption": text} if fits and text else {}
        kind = _KINDS.get(file.content_type, "document")
        if kind == "image" and file.size > _LARGEST_IMAGE:
            kind = "document"
        if not caption and file.content_type.startswith("audio/"):
            kind = "audio"
        named = {"filename": file.name} if kind == "document" else {}
        sent = getattr(client, f"send_{kind}")(to, media, **caption, **named, **ours)
        if fits:
            return sent
        try:
            return client.send_message(to, text, **ours)
        except Exception as error:
            raise ChannelError(
                f"the file was sent, but not its text: {error}", permanent=False, uncertain=True
            ) from error

    def _language(self, template: OutboundTemplate) -> Any:
        from pywa.types.templates import TemplateLanguage  # noqa: PLC0415 - comes with the extra

        name = self.options.get("TEMPLATE_LANGUAGES", {}).get(template.language, template.language.replace("-", "_"))
        languages = {language.value: language for language in TemplateLanguage}
        if name not in languages:
            raise ChannelError(f"WhatsApp has no template language {name!r}", permanent=True)
        return languages[name]

    def _parameters(self, template: OutboundTemplate) -> list[dict[str, Any]]:
        named = self.options.get("NAMED_PARAMETERS")
        values = [
            {"type": "text", "text": value, **({"parameter_name": name} if named else {})}
            for name, value in template.variables.items()
        ]
        return [{"type": "body", "parameters": values}] if values else []

    # --- receiving
    def verify(self, request: HttpRequest) -> None:
        """Check ``X-Hub-Signature-256`` (HMAC-SHA256 of the raw body), or our token in the handshake's GET request."""
        if request.method == "GET":
            verify_token = request.GET.get("hub.verify_token", "").encode("utf-8", "replace")
            matches = [hmac.compare_digest(verify_token, token.encode()) for token in self.secrets("VERIFY_TOKEN")]
            if request.GET.get("hub.mode") != "subscribe" or not any(matches):
                raise InvalidPayload("verify token does not match")
            return
        from pywa.utils import webhook_updates_validator  # noqa: PLC0415 - comes with the extra

        signature = request.headers.get("X-Hub-Signature-256", "")
        if not _SIGNATURE.fullmatch(signature):
            raise InvalidPayload("no X-Hub-Signature-256")
        if not any(webhook_updates_validator(key, request.body, signature) for key in self.secrets("APP_SECRET")):
            raise InvalidPayload("signature does not match")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        """Parse all events of a request, which may contain several entries, changes, messages and statuses."""
        if request.method != "POST":
            return []
        try:
            body = bounded_json.read(request.body)
        except bounded_json.UnboundedJson as error:
            raise InvalidPayload(str(error)) from error
        if not isinstance(body, dict) or not isinstance(body.get("entry"), list):
            raise InvalidPayload("no list of entries")
        return events.of(body["entry"], channel=self.alias, number_id=str(self.options.get("PHONE_NUMBER_ID", "")))

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Return 200, with the challenge in the handshake."""
        challenge = request.GET.get("hub.challenge", "") if request.method == "GET" else ""
        return HttpResponse(challenge, content_type="text/plain")

    def fetch(self, media: MediaRef) -> FileIn:
        return self.api.download(media)

    # --- settings
    def check(self) -> Iterator[CheckMessage]:
        """E131: missing extra. E132: missing number or access token. E133: no app secret, so webhooks can't be
        verified. E134: no verify token, so Meta's handshake would fail."""
        where = f'CONTACT_GUARD["CHANNELS"]["{self.alias}"]["OPTIONS"]'
        try:
            import pywa  # noqa: F401, PLC0415
        except ImportError:
            hint = 'pip install "crm-contact-guard[whatsapp]"'
            yield Error(f"Channel {self.alias!r} needs the library pywa", hint=hint, id="crm_contact_guard.E131")
        hint = "Meta's app dashboard, WhatsApp, API set-up. Read secrets from the environment, not from the code."
        if not str(self.options.get("PHONE_NUMBER_ID", "")).isdecimal():
            yield Error(f'{where}["PHONE_NUMBER_ID"] is not a number\'s id', hint=hint, id="crm_contact_guard.E132")
        if not self.secrets("ACCESS_TOKEN"):
            yield Error(f'{where}["ACCESS_TOKEN"] is missing', hint=hint, id="crm_contact_guard.E132")
        if not self.secrets("APP_SECRET"):
            hint = "Meta's app dashboard, App settings, Basic. Without it webhooks can't be verified."
            yield Error(f'{where}["APP_SECRET"] is missing', hint=hint, id="crm_contact_guard.E133")
        if not self.secrets("VERIFY_TOKEN"):
            hint = "Any long random string; enter the same string as the webhook's verify token at Meta."
            yield Error(f'{where}["VERIFY_TOKEN"] is missing', hint=hint, id="crm_contact_guard.E134")
