"""Click-to-call: the button, who may press it, what is recorded, and that no number shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from crm_contact_guard.directory.mirror import customer_for
from crm_contact_guard.record.models import Conversation, Event, Message
from tests.channels.carrier_server import HANG_UP
from tests.channels.twilio_server import CUSTOMER, NUMBER, TwilioServer, call_us, payload, refusal
from tests.channels.twilio_setup import configure, golden
from tests.console.conftest import Hotel
from tests.console.test_host import guest_of, panel

pytestmark = pytest.mark.django_db

MOBILE = "+818011112222"


@pytest.fixture
def twilio(hotel: Hotel, settings: Any) -> Iterator[TwilioServer]:
    guest = guest_of(hotel.talk)
    guest.mobile = "090-1234-5678"
    guest.save()
    customer_for(guest)
    with TwilioServer().running() as server:
        phones = {person.key: MOBILE for name, person in hotel.people.items() if name != "ken"}
        configure(settings, server.url, EMPLOYEE_PHONES=phones)
        yield server


def press(hotel: Hotel, who: str = "aoi", **more: Any) -> Any:
    data = {"channel": "phone", "key": "k1", **more.pop("data", {})}
    return hotel.post(who, "conversation_call", hotel.talk.pk, data=data, **more)


def kinds() -> list[str]:
    return list(Event.objects.filter(subject_type="call").order_by("id").values_list("kind", flat=True))


def test_the_employee_s_press_rings_the_employee_and_then_the_customer(hotel: Hotel, twilio: TwilioServer) -> None:
    answer = press(hotel)

    assert answer.status_code == 302
    assert "Your telephone rings" in hotel.browser("aoi").get(answer["Location"]).content.decode()
    assert twilio.placed[0]["To"] == [MOBILE]
    assert CUSTOMER in twilio.placed[0]["Twiml"][0]
    assert kinds() == ["call.asked", "call.placed"]


def test_what_twilio_tells_later_is_the_note_of_this_call_by_who_pressed(hotel: Hotel, twilio: TwilioServer) -> None:
    press(hotel)
    callback = twilio.placed[0]["Twiml"][0].split("?")[1].split('"')[0]
    call_us(payload(golden("call_out_completed")), alias="phone", query=callback)

    note = Message.objects.get(kind="call")
    assert (note.conversation, note.employee) == (hotel.talk, hotel.people["aoi"])
    page = hotel.get("aoi", "conversation", hotel.talk.pk).content.decode()
    assert "Call to the customer" in page
    assert "2 minutes" in page


def test_a_double_click_rings_once(hotel: Hotel, twilio: TwilioServer) -> None:
    press(hotel)
    press(hotel)
    press(hotel, data={"key": "k2"})

    assert len(twilio.placed) == 2


def test_without_a_page_load_the_button_comes_back_with_a_new_key(hotel: Hotel, twilio: TwilioServer) -> None:
    answer = press(hotel, headers={"HX-Request": "true"})

    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Your telephone rings" in text
    assert 'name="key" value="k1"' not in text
    assert 'name="key" value="' in text


@pytest.mark.parametrize("who", ["ken", "ren", "chief", "nobody", "visitor"])
def test_who_does_not_answer_here_can_not_call_here(who: str, hotel: Hotel, twilio: TwilioServer) -> None:
    Conversation.objects.filter(pk=hotel.talk.pk).update(employee=hotel.people["aoi"])
    answer = press(hotel, who)

    assert answer.status_code in (302, 403, 404)
    assert not twilio.placed
    assert not kinds()


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (refusal(400, 21211, "not a valid phone number"), "Ask your administrator"),
        (refusal(429, 20429, "Too Many Requests"), "place calls right now"),
        (HANG_UP, "did not answer"),
    ],
)
def test_a_call_that_does_not_come_about_is_said_and_recorded(
    trouble: Any, words: str, hotel: Hotel, twilio: TwilioServer
) -> None:
    twilio.failures.append(trouble)
    answer = press(hotel)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert kinds() == ["call.asked", "call.refused"]


def test_an_employee_whose_telephone_nobody_entered_is_told(hotel: Hotel, twilio: TwilioServer, settings: Any) -> None:
    configure(settings, twilio.url, EMPLOYEE_PHONES={"0": MOBILE})

    assert "Ask your administrator" in press(hotel).content.decode()


def test_a_line_that_is_none_is_refused(hotel: Hotel, twilio: TwilioServer) -> None:
    for channel in ("sms", "nosuch", ""):
        assert press(hotel, data={"channel": channel}).status_code == 422
    assert not kinds()


def test_no_number_shows_in_the_page_or_the_events(hotel: Hotel, twilio: TwilioServer) -> None:
    press(hotel)
    page = hotel.get("aoi", "conversation", hotel.talk.pk).content.decode()

    assert ">Call<" in page.replace("\n", "").replace("</svg>", ">")
    for number in ("090-1234-5678", "9012345678", MOBILE, NUMBER):
        assert number not in page
    told = json.dumps([[event.data, event.details] for event in Event.objects.filter(subject_type="call")])
    assert "9012345678" not in told
    assert all(UUID(event.subject_id) for event in Event.objects.filter(subject_type="call"))


def test_the_button_stands_in_the_host_s_page_too(hotel: Hotel, twilio: TwilioServer) -> None:
    html = panel(hotel.people["aoi"], guest_of(hotel.talk))

    assert f"conversations/{hotel.talk.pk}/call/" in html
    assert "9012345678" not in html


def test_who_wants_no_messages_is_not_called(hotel: Hotel, twilio: TwilioServer) -> None:
    hotel.talk.customer.addresses.filter(kind="phone").update(opted_out_at="2026-11-24T00:00Z", opted_out_by="stop")

    assert "cg-call" not in hotel.get("aoi", "conversation", hotel.talk.pk).content.decode()
    assert press(hotel).status_code == 422


def test_the_telephone_is_no_choice_for_a_written_message(hotel: Hotel, twilio: TwilioServer) -> None:
    page = hotel.get("aoi", "conversation", hotel.talk.pk).content.decode()

    assert '<option value="sms"' in page
    assert '<option value="phone"' not in page


def test_a_missed_call_waits_for_an_answer(hotel: Hotel, twilio: TwilioServer, settings: Any) -> None:
    configure(settings, twilio.url, FORWARD_TO="+81312345678")
    Conversation.objects.filter(pk=hotel.talk.pk).update(waiting_since=None, unread=0)
    call_us(payload(golden("call_in_missed")), alias="phone")

    talk = Conversation.objects.get(pk=hotel.talk.pk)
    assert talk.unread == 1
    assert talk.waiting_since is not None
    assert "not answered" in hotel.get("aoi", "conversation", hotel.talk.pk).content.decode()
