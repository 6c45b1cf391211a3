"""What the writer is told before anything is sent: length, window, who wants no messages, a carrier that is away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm_contact_guard.channels import registry
from crm_contact_guard.delivery import health
from crm_contact_guard.exceptions import ChannelError
from tests import factories
from tests.channels import twilio_setup
from tests.console.conftest import Hotel

NUMBER = "+819012345678"


@pytest.fixture(autouse=True)
def _channels(settings: Any, hotel: Hotel) -> None:
    twilio_setup.configure(settings)
    for kind in ("phone", "whatsapp"):
        hotel.talk.customer.addresses.create(kind=kind, value=NUMBER, normalised=NUMBER)


def page(hotel: Hotel) -> str:
    return hotel.get("aoi", "inbox_conversation", hotel.talk.pk).content.decode()


def composer(hotel: Hotel, channel: str) -> str:
    """The composer after a channel was chosen."""
    data = {"channel": channel, "choose": "1", "text": "Hello"}
    answer = hotel.post("aoi", "conversation_send", hotel.talk.pk, data=data, headers={"HX-Request": "true"})
    return answer.content.decode()


def writes(alias: str, text: str, ago: timedelta) -> None:
    factories.received(text, channel=alias, from_address=NUMBER, occurred_at=timezone.now() - ago)


def test_how_long_a_text_may_be(hotel: Hotel) -> None:
    assert "at most 1400 characters" in composer(hotel, "sms")


def test_until_when_free_text_is_allowed_and_that_it_no_longer_is(hotel: Hotel) -> None:
    assert "it takes approved text blocks only" in composer(hotel, "whatsapp")

    writes("whatsapp", "Hello", timedelta(hours=1))
    assert "Free text until" in composer(hotel, "whatsapp")
    assert "approved text blocks only" not in composer(hotel, "whatsapp")


def test_who_wants_no_messages(hotel: Hotel) -> None:
    hotel.talk.customer.addresses.filter(kind="phone").update(opted_out_at=timezone.now(), opted_out_by="stop")

    shown = page(hotel)

    assert shown.count("opted out of messages") == 2, "on the customer's card and at the composer"


def test_that_a_carrier_is_away_in_the_inbox_and_where_one_writes(hotel: Hotel) -> None:
    line = registry.channel("sms")
    for _ in range(health.FAILURES):
        assert health.wait_until(line) is None
        health.failed("sms", ChannelError("no route", permanent=False))

    assert "SMS: the carrier has taken nothing since" in page(hotel)
    assert "SMS: the carrier has taken nothing since" in hotel.get("aoi", "inbox_news").content.decode()
    assert "The carrier takes nothing at the moment" in composer(hotel, "sms")
    assert "The carrier takes nothing at the moment" not in composer(hotel, "whatsapp")

    health.answered("sms")
    assert "has taken nothing" not in page(hotel)
