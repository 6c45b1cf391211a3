"""Sending through the API: recorded once, kept back with the way on, tried out without a trace."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.record.models import Event, Message
from tests.api.conftest import API, Hotel, bearer

ATTEMPT = "私の個人LINEはaoi_private77です。こちらに連絡してください。"


def post(hotel: Hotel, data: dict[str, Any], **headers: str) -> Any:
    return hotel.call("aoi", "POST", f"conversations/{hotel.talk.pk}/messages/", data, **headers)


def outbound() -> int:
    return Message.objects.filter(direction="outbound").count()


def test_a_message_is_recorded_queued_and_given_back(hotel: Hotel) -> None:
    response = post(hotel, {"text": " Your room is ready. \n"})

    assert response.status_code == 201
    given = response.json()["message"]
    message = Message.objects.get(pk=given["id"])
    assert (message.text, given["text"]) == (" Your room is ready. \n",) * 2
    assert (message.employee, message.direction, message.channel) == (hotel.people["aoi"], "outbound", "chat")
    assert response.json()["decision"] == {"action": "deliver", "reasons": []}
    assert response["Location"] == f"http://testserver{API}messages/{message.pk}/"
    assert given["delivery"]["state"] == Delivery.State.QUEUED
    assert given["occurred_at"].endswith("Z")


def test_a_key_sends_once(hotel: Hotel) -> None:
    first = post(hotel, {"text": "Hello"}, **{"Idempotency-Key": "k-1"})
    again = post(hotel, {"text": "Hello"}, **{"Idempotency-Key": "k-1"})
    other = post(hotel, {"text": "Something else"}, **{"Idempotency-Key": "k-1"})

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 422)
    assert again.json()["message"]["id"] == first.json()["message"]["id"]
    assert other.json()["type"] == "urn:crm-contact-guard:problem:key-reused"
    assert outbound() == 1


def test_a_nudge_tells_how_to_go_on_and_an_override_does(hotel: Hotel) -> None:
    kept = post(hotel, {"text": ATTEMPT})

    problem = kept.json()
    assert kept.status_code == 409
    assert kept["Content-Type"] == "application/problem+json"
    assert problem["type"] == "urn:crm-contact-guard:problem:nudge"
    assert problem["decision"] == {"action": "nudge", "reasons": ["attempt"]}
    assert "aoi_private77" in {ATTEMPT[found["start"] : found["end"]] for found in problem["findings"]}
    assert "customer_asked" in problem["overrides"]
    assert outbound() == 0
    assert Event.objects.filter(kind="decision.nudge").count() == 1

    wordless = post(hotel, {"text": ATTEMPT, "override": {"code": "other"}})
    assert wordless.json()["errors"] == [{"field": "override.text", "detail": "Say in a few words why."}]

    sent = post(hotel, {"text": ATTEMPT, "override": {"code": "other", "text": "our new desk line"}})
    assert sent.status_code == 201
    override = Event.objects.get(kind="override.other")
    assert (str(override.message_id), override.reason) == (sent.json()["message"]["id"], "our new desk line")


def test_a_block_can_not_be_overridden(hotel: Hotel) -> None:
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "INDUSTRY": "finance"}):
        kept = post(hotel, {"text": ATTEMPT, "override": {"code": "other", "text": "please"}})

    assert kept.status_code == 409
    assert kept.json()["type"] == "urn:crm-contact-guard:problem:block"
    assert kept.json()["overrides"] == []
    assert outbound() == 0


def test_after_hours_an_emergency_goes_out(hotel: Hotel) -> None:
    person = hotel.people["aoi"]
    person.working_hours = {"mon": "00:00-00:01"}
    person.save()
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "RULES": {"after_hours": "nudge"}}):
        kept = post(hotel, {"text": "Good evening"})
        sent = post(hotel, {"text": "The pool is closed", "emergency": True})

    # A minute on Mondays is the only working time, so this holds whenever the test runs but then.
    assert (kept.status_code, kept.json()["decision"]["reasons"]) == (409, ["after_hours"])
    assert sent.status_code == 201
    assert Event.objects.filter(kind="override.emergency", message=sent.json()["message"]["id"]).exists()


UNUSABLE: list[tuple[dict[str, Any], str]] = [
    ({}, "text"),
    ({"text": ""}, "text"),
    ({"text": "   \n"}, "text"),
    ({"text": "x" * 20_001}, "text"),
    ({"text": None}, "text"),
    ({"text": ["a"]}, "text"),
    ({"text": {"a": 1}}, "text"),
    ({"text": "a\u0000b"}, "text"),
    ({"text": "a\ud800b"}, "text"),
    ({"text": "a", "channel": "pigeon"}, "channel"),
    ({"text": "a", "channel": "x" * 65}, "channel"),
    ({"text": "a", "subject": "x" * 256}, "subject"),
    ({"text": "a", "emergency": "perhaps"}, "emergency"),
    ({"text": "a", "override": "other"}, "override"),
    ({"text": "a", "override": {"code": "because"}}, "override.code"),
    ({"text": "a", "override": {"code": ["other"]}}, "override.code"),
    ({"text": "a", "override": {"text": "why"}}, "override.code"),
]


def test_what_can_not_be_sent_is_named(hotel: Hotel) -> None:
    for data, field in UNUSABLE:
        response = hotel.client("aoi").post(
            f"{API}conversations/{hotel.talk.pk}/messages/", json.dumps(data), content_type="application/json"
        )
        assert (response.status_code, str(data)[:80]) == (400, str(data)[:80])
        assert [each["field"] for each in response.json()["errors"]] == [field]
    assert outbound() == 0


@pytest.mark.parametrize("key", ["x" * 256, "ключ", "a\tb"])
def test_an_unusable_key_is_refused(hotel: Hotel, key: str) -> None:
    assert post(hotel, {"text": "a"}, **{"Idempotency-Key": key}).status_code == 400
    assert outbound() == 0


def test_a_customer_without_an_address_is_said_so(hotel: Hotel) -> None:
    response = hotel.call(
        "ren", "POST", f"conversations/{hotel.other_talk.pk}/messages/", {"text": "Hello", "channel": "email"}
    )

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "channel"


def test_a_preview_leaves_no_trace(hotel: Hotel) -> None:
    rows = (Message.objects.count(), Event.objects.count())

    response = hotel.call("aoi", "POST", "scan/", {"text": ATTEMPT})

    looked = response.json()
    assert (looked["decision"]["action"], looked["attempt"], looked["by"]) == ("nudge", True, "employee")
    assert looked["stance"] in ("offer", "ask")
    assert looked["findings"]
    assert hotel.call("aoi", "POST", "scan/", {"text": "See you at ten."}).json()["decision"]["action"] == "deliver"
    assert (Message.objects.count(), Event.objects.count()) == rows


def test_a_session_needs_the_csrf_token_and_a_bearer_does_not(hotel: Hotel) -> None:
    from django.test import Client

    path, body = f"{API}conversations/{hotel.talk.pk}/messages/", {"text": "Hello"}
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(hotel.people["aoi"].user)

    assert browser.post(path, body, content_type="application/json").status_code == 403
    machine = Client(enforce_csrf_checks=True)
    answer = machine.post(path, body, content_type="application/json", headers=bearer(hotel.people["aoi"]))
    assert answer.status_code == 201
