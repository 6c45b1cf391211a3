"""The required tests, with a channel as a third party would write it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from crm_contact_guard.checks import check_channels
from tests.channels.carrier_server import Answer
from tests.channels.cases import Payload, SendCases, WebhookCases
from tests.channels.pager_server import PagerServer
from tests.signed_channel import signature

AT = "2026-11-24T10:00:00+09:00"


def event(event_id: str, kind: str, **fields: Any) -> Payload:
    return Payload(body=json.dumps({"events": [{"id": event_id, "type": kind, "at": AT, **fields}]}).encode())


class TestWebhook(WebhookCases):
    backend = "tests.signed_channel.SignedChannel"

    def options(self) -> dict[str, Any]:
        return {"SECRET": self.new_secret, "URL": "http://127.0.0.1:1"}

    def payload(self, *, event_id: str, text: str) -> Payload:
        return event(event_id, "message", text=text, **{"from": self.customer_address})

    def signed(self, payload: Payload, secret: str, url: str) -> Mapping[str, str]:
        return {"X-Signature": signature(payload.body, secret)}

    def unknown(self, *, event_id: str) -> Payload:
        return event(event_id, "typing")

    def status(self, *, event_id: str, carrier_id: str, read: bool) -> Payload:
        return event(event_id, "status", message=carrier_id, status="read" if read else "delivered")

    def opt_out(self, *, event_id: str) -> Payload:
        return event(event_id, "stop", **{"from": self.customer_address})

    def opt_in(self, *, event_id: str) -> Payload:
        return event(event_id, "start", **{"from": self.customer_address})


class TestSend(SendCases):
    backend = "tests.signed_channel.SignedChannel"
    server: PagerServer

    @pytest.fixture
    def carrier(self) -> Iterator[PagerServer]:
        with PagerServer().running() as self.server:
            yield self.server

    def options(self) -> dict[str, Any]:
        return {"SECRET": "s3cret-0123456789abcdef", "URL": self.server.url}

    def fail_temporarily(self) -> None:
        self.server.failures.append(Answer.of({}, 503))

    def fail_permanently(self) -> None:
        self.server.failures.append(Answer.of({}, 400))

    def be_busy(self) -> None:
        self.server.failures.append(Answer.of({}, 429, Retry_After="7"))

    def arrived(self) -> list[str]:
        return [order["text"] for order in self.server.messages.values()]


def test_a_channels_checks_run_as_system_checks(settings: Any) -> None:
    given = {"BACKEND": "tests.signed_channel.SignedChannel", "OPTIONS": {}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {"pager": given}}

    assert [found.id for found in check_channels(None)] == ["pager.E001"]
    assert registry.channel("pager").secrets("SECRET") == ()
