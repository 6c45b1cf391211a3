"""The required tests for the Twilio channels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.channels import twilio_server
from tests.channels.cases import Payload, SendCases, WebhookCases
from tests.channels.twilio_server import ACCOUNT, BROKEN, CUSTOMER, NUMBER, TOKEN, TOO_FAST, TwilioServer, refusal

FORM = "application/x-www-form-urlencoded"


def form(**values: str) -> Payload:
    return Payload(body=urlencode({"AccountSid": ACCOUNT, **values}).encode(), content_type=FORM)


class TwilioCases(WebhookCases):
    secret_option = "AUTH_TOKEN"
    answer_status = 200
    prefix = ""

    def options(self) -> dict[str, Any]:
        return {"ACCOUNT_SID": ACCOUNT, "AUTH_TOKEN": self.new_secret, "FROM": NUMBER}

    def signed(self, payload: Payload, secret: str, url: str) -> Mapping[str, str]:
        values = dict(parse_qsl(payload.body.decode("utf-8", "replace"), keep_blank_values=True))
        return {"X-Twilio-Signature": twilio_server.signature(url, values, secret)}

    def message(self, event_id: str, text: str) -> Payload:
        sides = {"From": self.prefix + CUSTOMER, "To": self.prefix + NUMBER}
        return form(**sides, MessageSid=event_id, SmsSid=event_id, SmsStatus="received", Body=text, NumMedia="0")

    def payload(self, *, event_id: str, text: str) -> Payload:
        return self.message(event_id, text)

    def unknown(self, *, event_id: str) -> Payload:
        return form(MessageSid=event_id, MessageStatus="pondering", To=self.prefix + CUSTOMER)

    def status(self, *, event_id: str, carrier_id: str, read: bool) -> Payload:
        return form(MessageSid=carrier_id, MessageStatus="read" if read else "delivered", To=self.prefix + CUSTOMER)

    def opt_out(self, *, event_id: str) -> Payload:
        return self.message(event_id, "STOP")

    def opt_in(self, *, event_id: str) -> Payload:
        return self.message(event_id, "START")


class TestSmsWebhook(TwilioCases):
    backend = "crm_contact_guard.channels.twilio.SmsChannel"


class TestWhatsAppWebhook(TwilioCases):
    backend = "crm_contact_guard.channels.twilio.WhatsAppChannel"
    prefix = "whatsapp:"


class TwilioSends(SendCases):
    @pytest.fixture
    def carrier(self) -> Iterator[TwilioServer]:
        with TwilioServer().running() as self.server:
            yield self.server

    def options(self) -> dict[str, Any]:
        return {"ACCOUNT_SID": ACCOUNT, "AUTH_TOKEN": TOKEN, "FROM": NUMBER, "API_URL": self.server.url}

    def fail_temporarily(self) -> None:
        self.server.failures.append(BROKEN)

    def fail_permanently(self) -> None:
        self.server.failures.append(refusal(400, 21211, "The 'To' number is not a valid phone number."))

    def be_busy(self) -> None:
        self.server.failures.append(TOO_FAST)

    def arrived(self) -> list[str]:
        return [message["body"] for message in self.server.messages]


class TestSmsSends(TwilioSends):
    backend = "crm_contact_guard.channels.twilio.SmsChannel"


class TestWhatsAppSends(TwilioSends):
    backend = "crm_contact_guard.channels.twilio.WhatsAppChannel"
