"""Webhook tests common to all e-mail services."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.test import Client

from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.record.models import Message
from tests.channels.cases import Payload, WebhookCases
from tests.channels.esp_server import KEY, basic

PASSPORT = b"\x89PNG\r\n\x1a\n"


class EspWebhookCases(WebhookCases):
    """For services that authenticate by password only (Postmark, Brevo), which does not sign the body."""

    backend = "crm_contact_guard.channels.email.esp.EspChannel"
    customer_address = "hanako@mail.example"
    answer_status = 200
    secret_option = "WEBHOOK_SECRET"
    new_secret = "hook:new-secret-0123456789abcdef"
    old_secret = "hook:old-secret-0123456789abcdef"
    esp: ClassVar[str]
    send: ClassVar[dict[str, Any]] = {"api_key": KEY}
    webhook: ClassVar[dict[str, Any]] = {}
    files: ClassVar[tuple[str, ...]] = ("original.eml", "passport.png")

    def options(self) -> dict[str, Any]:
        return {
            "FROM": "Hotel Kaede <guests@kaede.example>",
            "REPLY_TO": "reply@kaede.example",
            "ESP": self.esp,
            "SEND": self.send,
            "WEBHOOK": self.webhook,
            "WEBHOOK_SECRET": self.new_secret,
        }

    def signed(self, payload: Payload, secret: str, url: str) -> Mapping[str, str]:
        return basic(secret) if ":" in secret else basic(f"hook:{secret}")

    def test_a_signature_is_valid_for_its_own_body_only(self) -> None:
        """Not applicable: there is only a password, protected by TLS."""

    # --- tests for all services
    def our_id(self, carrier_id: str) -> str:
        """Our id of the message with this carrier id, which services return."""
        return str(Delivery.objects.get(carrier_id=carrier_id).message_id)

    def test_a_head_request_is_answered(self) -> None:
        assert Client().head(self.path).status_code == 200
        assert Client().get(self.path).status_code in (401, 403)

    def test_new_text_files_and_the_mail_itself_are_recorded(self) -> None:
        self.written("Your room is ready.")
        self.accepted(self.payload(event_id="e1", text="Hello\n\n> Your room is ready."))

        message = Message.objects.get(direction="inbound")
        assert (message.text, message.quoted) == ("Hello", "> Your room is ready.")
        assert [row.name for row in message.attachments.all()] == list(self.files)

    def test_a_reply_finds_its_conversation_by_our_message_id(self) -> None:
        message = self.written()
        payload = self.answering(f"<{message.pk}@kaede.example>")

        self.accepted(payload)

        reply = Message.objects.get(direction="inbound")
        assert reply.conversation == message.conversation
        assert reply.from_address == "somebody.else@mail.example"

    def answering(self, reference: str) -> Payload:
        """A mail from an unknown address in reply to one of our mails."""
        raise NotImplementedError


def token(event_id: str) -> str:
    return hashlib.sha256(event_id.encode()).hexdigest()[:50]


def mailgun_signature(event_id: str, secret: str, timestamp: str = "1795482000") -> dict[str, str]:
    signature = hmac.new(secret.encode(), f"{timestamp}{token(event_id)}".encode(), hashlib.sha256).hexdigest()
    return {"timestamp": timestamp, "token": token(event_id), "signature": signature}


def as_json(value: object) -> Payload:
    return Payload(body=json.dumps(value, ensure_ascii=False).encode())
