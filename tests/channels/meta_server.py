"""Meta's Graph API for WhatsApp according to developers.facebook.com: messages and media; and its webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from email import message_from_bytes
from email import policy as email_policy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from tests.channels.carrier_server import Answer, Call, CarrierServer

NUMBER_ID = "106540352242922"
TOKEN = "EAAJB0000meta0access0token"
SECRET = "0123456789abcdef0123456789abcdef"
VERIFY = "verify-0123456789abcdef"
CUSTOMER = "819012345678"
#: Numbers with an expired window, without WhatsApp, and with an exceeded rate limit.
OUTSIDE_WINDOW, NOT_ON_WHATSAPP, TOO_OFTEN = "819011110047", "819011110026", "819011110056"
_FIXTURES = Path(__file__).parent / "fixtures" / "whatsapp"


def refusal(status: int, code: int, title: str, details: str = "", **headers: str) -> Answer:
    """An error in the Graph API's format."""
    error = {
        "message": f"(#{code}) {title}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details or title},
        "fbtrace_id": "AbCdEfGhIjKlMnOp",
    }
    return Answer.of({"error": error}, status, **headers)


RATE = refusal(429, 130429, "Rate limit hit", "Message failed to send because of throughput limits.", Retry_After="7")
OVERLOADED = refusal(503, 131016, "Service unavailable", "A service is temporarily unavailable.")
_REFUSED = {
    OUTSIDE_WINDOW: refusal(
        400,
        131047,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    ),
    NOT_ON_WHATSAPP: refusal(400, 131026, "Message undeliverable", "Message Undeliverable."),
    TOO_OFTEN: refusal(400, 131056, "(Business Account, Consumer Account) pair rate limit hit"),
}


class MetaServer(CarrierServer):
    """``messages``: accepted ones, newest last. ``uploads`` and ``media``: the media store, by media id."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.uploads: dict[str, tuple[str, str, bytes]] = {}
        self.media: dict[str, tuple[str, bytes]] = {}
        self.media_url = ""
        self.declared_size: int | None = None

    def fails(self, call: Call) -> bool:
        return call.path.endswith("/messages")

    def answer(self, call: Call) -> Answer:
        path = urlsplit(call.path).path
        if call.header("Authorization") != f"Bearer {TOKEN}":
            return refusal(401, 190, "Invalid OAuth access token - Cannot parse access token")
        parts = path.strip("/").split("/")
        if parts[0] == "store":
            kind, content = self.media[parts[1]]
            return Answer(200, content, {"Content-Type": kind})
        assert parts[0].startswith("v"), path
        if parts[1:] == [NUMBER_ID, "messages"]:
            return self._send(call.json)
        if parts[1:] == [NUMBER_ID, "media"]:
            return self._upload(call)
        if parts[1] in self.media:
            kind, content = self.media[parts[1]]
            return Answer.of(
                {
                    "messaging_product": "whatsapp",
                    "url": self.media_url or f"{self.url}/store/{parts[1]}",
                    "mime_type": kind,
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "file_size": len(content) if self.declared_size is None else self.declared_size,
                    "id": parts[1],
                }
            )
        return refusal(400, 100, "Unsupported get request.")

    def _send(self, asked: dict[str, Any]) -> Answer:
        to = asked.get("to") or asked.get("recipient") or ""
        if asked["messaging_product"] != "whatsapp" or not to:
            return refusal(400, 100, "Invalid parameter")
        if to in _REFUSED and asked["type"] != "template":
            return _REFUSED[to]
        if asked["type"] == "text" and not 1 <= len(asked["text"]["body"]) <= 4096:
            return refusal(400, 100, "Invalid parameter", "Param text['body'] must be at most 4096 characters long.")
        if asked["type"] == "template" and asked["template"]["name"] != "appointment_reminder":
            return refusal(404, 132001, "Template name does not exist in the translation")
        if asked["type"] in ("image", "document", "audio", "video") and asked[asked["type"]]["id"] not in self.uploads:
            return refusal(400, 131009, "Parameter value is not valid")
        self.messages.append(asked)
        return Answer.of(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": to, "wa_id": to}],
                "messages": [{"id": f"wamid.{len(self.messages):016d}"}],
            }
        )

    def _upload(self, call: Call) -> Answer:
        head = f"Content-Type: {call.header('Content-Type')}\r\n\r\n".encode()
        form = message_from_bytes(head + call.body, policy=email_policy.HTTP)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
        assert parts["messaging_product"].get_content().strip() == "whatsapp"
        file = parts["file"]
        number = str(1166846181421424 + len(self.uploads))
        self.uploads[number] = (file.get_filename() or "", file.get_content_type(), file.get_payload(decode=True))
        return Answer.of({"id": number})


def signature(body: bytes, secret: str = SECRET) -> str:
    """``X-Hub-Signature-256``."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def call_us(body: bytes, *, secret: str = SECRET, alias: str = "whatsapp") -> Any:
    """Call the webhook like Meta."""
    return Client(enforce_csrf_checks=True).post(
        f"/guard/webhooks/{alias}/",
        body,
        content_type="application/json",
        headers={"X-Hub-Signature-256": signature(body, secret)},
    )


def payload(name: str) -> bytes:
    """A sample webhook as sent by Meta: ASCII with escapes, no spaces."""
    return json.dumps(json.loads((_FIXTURES / f"{name}.json").read_text("utf-8")), separators=(",", ":")).encode()
