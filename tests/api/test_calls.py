"""Calling a customer over the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.db import connection

from crm_contact_guard.channels.base import PhoneCall, Receipt
from crm_contact_guard.channels.twilio import VoiceChannel
from crm_contact_guard.record.models import Event
from tests.api.conftest import Hotel
from tests.channels.twilio_server import BROKEN, CUSTOMER, TwilioServer
from tests.channels.twilio_setup import configure

pytestmark = pytest.mark.django_db


@pytest.fixture
def twilio(hotel: Hotel, settings: Any) -> Iterator[TwilioServer]:
    hotel.talk.customer.addresses.create(kind="phone", value="090-1234-5678", normalised=CUSTOMER)
    with TwilioServer().running() as server:
        configure(settings, server.url, EMPLOYEE_PHONES={hotel.people["aoi"].key: "+818011112222"})
        yield server


def call(hotel: Hotel, data: dict[str, str] | None = None, **headers: str) -> Any:
    return hotel.call("aoi", "POST", f"conversations/{hotel.talk.pk}/call/", data or {}, **headers)


def test_a_call_is_placed_and_no_number_comes_back(hotel: Hotel, twilio: TwilioServer) -> None:
    answer = call(hotel)

    assert answer.status_code == 202
    assert answer.json() == {"channel": "phone", "repeated": False}
    assert twilio.placed[0]["To"] == ["+818011112222"]


def test_the_same_key_rings_once_and_none_rings_each_time(hotel: Hotel, twilio: TwilioServer) -> None:
    repeated = [call(hotel, **{"Idempotency-Key": "k"}).json()["repeated"] for _ in range(2)]
    call(hotel)
    call(hotel)

    assert repeated == [False, True]
    assert len(twilio.placed) == 3


@pytest.mark.parametrize("channel", ["sms", "nosuch"])
def test_a_channel_that_makes_no_calls_is_said(channel: str, hotel: Hotel, twilio: TwilioServer) -> None:
    assert call(hotel, {"channel": channel}).status_code == 400
    assert not Event.objects.filter(subject_type="call").exists()


def test_a_carrier_that_is_down_is_said(hotel: Hotel, twilio: TwilioServer) -> None:
    twilio.failures.append(BROKEN)
    answer = call(hotel)

    assert answer.status_code == 400
    assert "can't place calls right now" in answer.json()["detail"]


class Watched(VoiceChannel):
    """Says of each call whether it is placed within a transaction."""

    within: ClassVar[list[bool]] = []

    def call(self, asked: PhoneCall) -> Receipt:
        self.within.append(connection.in_atomic_block)
        return super().call(asked)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", ["api", "page"])
def test_a_host_that_wraps_requests_in_transactions_loses_no_trace(
    door: str, hotel: Hotel, twilio: TwilioServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    channels = settings.CONTACT_GUARD["CHANNELS"]
    phone = {**channels["phone"], "BACKEND": f"{__name__}.Watched"}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {**channels, "phone": phone}}
    Watched.within.clear()
    twilio.failures.append(BROKEN)
    if door == "api":
        assert call(hotel).status_code == 400
    else:
        page = f"/guard/conversations/{hotel.talk.pk}/call/"
        assert hotel.client("aoi").post(page, {"channel": "phone", "key": "k"}).status_code == 422

    assert Watched.within == [False]
    kinds = list(Event.objects.filter(subject_type="call").order_by("id").values_list("kind", flat=True))
    assert kinds == ["call.asked", "call.refused"]
