"""The webhook view: accepted and refused requests, responses, and deduplication."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client, RequestFactory

from crm_contact_guard import gateway
from crm_contact_guard.delivery import attempts
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.intake.webhooks import webhook
from crm_contact_guard.record.models import Event, Message
from tests import factories
from tests.signed_channel import signature

pytestmark = pytest.mark.django_db

AT = "2026-11-24T10:00:00+09:00"


@pytest.fixture(autouse=True)
def _pager(settings: Any) -> None:
    pager = {"BACKEND": "tests.signed_channel.SignedChannel", "OPTIONS": {"SECRET": "s3cret"}}
    factories.add_channels(settings, {"pager": pager}, MAX_INBOUND_BYTES=10_000)


def call(body: bytes | dict[str, Any], *, alias: str = "pager", secret: str = "s3cret", **headers: str) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"X-Signature": signature(raw, secret), **headers}
    # CSRF protection is on, since carriers have no cookie.
    client = Client(enforce_csrf_checks=True)
    return client.post(f"/guard/webhooks/{alias}/", raw, content_type="application/json", headers=headers).status_code


def message(event_id: str = "1", text: str = "Hello") -> dict[str, Any]:
    return {"events": [{"id": event_id, "type": "message", "from": "+819012345678", "text": text, "at": AT}]}


def test_a_repeated_signed_message_is_recorded_once() -> None:
    assert [call(message()) for _ in range(3)] == [204, 204, 204]

    assert [found.text for found in Message.objects.all()] == ["Hello"]


@pytest.mark.parametrize(
    ("status", "arguments"),
    [
        (403, {"secret": "wrong"}),
        (403, {"X-Signature": ""}),
        (404, {"alias": "nosuch"}),
        (404, {"alias": "email"}),
    ],
)
def test_unauthenticated_requests_are_refused(status: int, arguments: dict[str, str]) -> None:
    assert call(message(), **arguments) == status
    assert not Message.objects.exists()


def test_too_large_and_wrong_method_requests_are_refused() -> None:
    assert call(b"x" * 10_001) == 413
    assert Client().put("/guard/webhooks/pager/").status_code == 405
    request = RequestFactory().post("/", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = "many"
    assert webhook(request, "pager").status_code == 413


def test_a_refused_signature_costs_no_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        call(message(), secret="wrong")


def test_status_events_update_their_message_and_unknown_events_are_recorded() -> None:
    clerk = factories.employee("aoi")
    talk = factories.conversation(clerk, channel="chat")
    talk.customer.addresses.create(kind="phone", value="090-1234-5678", normalised="+819012345678")
    sent = gateway.send(actor=clerk, conversation=talk, text="Your car is here", channel="pager")
    assert sent.message is not None
    attempts.deliver(sent.message.pk)
    events = [
        {"id": "s2", "type": "status", "message": f"pager-{sent.message.pk}", "status": "read", "at": AT},
        {"id": "s1", "type": "status", "message": f"pager-{sent.message.pk}", "status": "delivered", "at": AT},
        {"id": "u1", "type": "typing", "at": AT},
    ]

    assert [call({"events": events}) for _ in range(2)] == [204, 204]

    assert Delivery.objects.get(message=sent.message).state == "read"
    assert Event.objects.filter(message=sent.message, kind__in=["delivery.read", "delivery.delivered"]).count() == 2
    assert Event.objects.filter(kind="carrier.unknown").count() == 1
