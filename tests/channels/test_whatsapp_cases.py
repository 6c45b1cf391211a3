"""The required tests for the WhatsApp Cloud API."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.channels import meta_server
from tests.channels.cases import Payload, SendCases, WebhookCases
from tests.channels.meta_server import CUSTOMER, NUMBER_ID, OVERLOADED, RATE, SECRET, TOKEN, VERIFY, MetaServer, refusal

BACKEND = "crm_contact_guard.channels.whatsapp.WhatsAppChannel"
#: Now, since free text is allowed for 24 hours after it.
AT = str(int(time.time()))


def change(value: Mapping[str, Any], field: str = "messages") -> Payload:
    metadata = {"display_phone_number": "815012345678", "phone_number_id": NUMBER_ID}
    full = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    entry = {"id": "102290129340398", "changes": [{"value": full, "field": field}]}
    return Payload(body=json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode())


class TestWebhook(WebhookCases):
    backend = BACKEND
    secret_option = "APP_SECRET"
    answer_status = 200

    def options(self) -> dict[str, Any]:
        return {
            "PHONE_NUMBER_ID": NUMBER_ID,
            "ACCESS_TOKEN": TOKEN,
            "APP_SECRET": self.new_secret,
            "VERIFY_TOKEN": VERIFY,
        }

    def signed(self, payload: Payload, secret: str, url: str) -> Mapping[str, str]:
        return {"X-Hub-Signature-256": meta_server.signature(payload.body, secret)}

    def payload(self, *, event_id: str, text: str) -> Payload:
        message = {"from": CUSTOMER, "id": event_id, "timestamp": AT, "type": "text", "text": {"body": text}}
        contacts = [{"profile": {"name": "Hanako"}, "wa_id": CUSTOMER}]
        return change({"contacts": contacts, "messages": [message]})

    def unknown(self, *, event_id: str) -> Payload:
        return change({"event": "APPROVED", "message_template_id": event_id}, "message_template_status_update")

    def status(self, *, event_id: str, carrier_id: str, read: bool) -> Payload:
        said = {"id": carrier_id, "status": "read" if read else "delivered", "timestamp": AT, "recipient_id": CUSTOMER}
        return change({"statuses": [said]})

    def opt_out(self, *, event_id: str) -> Payload:
        return self.payload(event_id=event_id, text="Stop")

    def opt_in(self, *, event_id: str) -> Payload:
        return self.payload(event_id=event_id, text="START")


class TestSends(SendCases):
    backend = BACKEND

    @pytest.fixture
    def carrier(self) -> Iterator[MetaServer]:
        with MetaServer().running() as self.server:
            yield self.server

    def options(self) -> dict[str, Any]:
        return {
            "PHONE_NUMBER_ID": NUMBER_ID,
            "ACCESS_TOKEN": TOKEN,
            "APP_SECRET": SECRET,
            "VERIFY_TOKEN": VERIFY,
            "API_URL": self.server.url,
        }

    def fail_temporarily(self) -> None:
        self.server.failures.append(OVERLOADED)

    def fail_permanently(self) -> None:
        self.server.failures.append(refusal(400, 131026, "Message undeliverable"))

    def be_busy(self) -> None:
        self.server.failures.append(RATE)

    def arrived(self) -> list[str]:
        return [message["text"]["body"] for message in self.server.messages]
