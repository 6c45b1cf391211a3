"""Who is typing and who has read, at both ends of a web chat: seen at once, recorded nowhere."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_contact_guard.conversations import typing_marks
from crm_contact_guard.conversations.chat_links import chat_link_create, chat_link_revoke
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.record.models import Event, Message
from tests.console.conftest import Hotel, url
from tests.console.customer.test_chat import Phone, html

TYPES = "Hanako Sato is typing…"
ANSWERS = "An answer is being written…"


@pytest.fixture(autouse=True)
def _seconds_are_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it does not matter how fast the machine is; ``time_passes`` is what ends them."""
    monkeypatch.setattr(typing_marks, "LASTS", timedelta(hours=7))
    monkeypatch.setattr(typing_marks, "REST", timedelta(hours=2))


@pytest.fixture
def phone(hotel: Hotel) -> Phone:
    phone = Phone(hotel)
    phone.open()
    return phone


def customer_looks(phone: Phone, **query: str) -> Any:
    return phone.browser.get(url("chat_news"), query)


def employee_looks(hotel: Hotel, who: str = "aoi", **query: str) -> Any:
    return hotel.browser(who).get(url("conversation_news", hotel.talk.pk), query)


def version(response: Any) -> str:
    found = re.search(r'data-cg-version="([^"]+)"', html(response))
    assert found is not None
    return found[1]


def time_passes() -> None:
    past = timezone.now() - timedelta(hours=8)
    ChatLink.objects.filter(customer_typing_at__isnull=False).update(customer_typing_at=past)
    ChatLink.objects.filter(employee_typing_at__isnull=False).update(employee_typing_at=past)


def test_the_employee_sees_the_customer_typing_until_it_stops(hotel: Hotel, phone: Phone) -> None:
    before = version(employee_looks(hotel))

    customer_looks(phone, typing="1")

    seen = employee_looks(hotel, v=before)
    assert TYPES in html(seen)
    assert employee_looks(hotel, v=version(seen)).status_code == 204
    assert TYPES in html(hotel.get("aoi", "conversation", hotel.talk.pk))
    time_passes()
    gone = employee_looks(hotel, v=version(seen))
    assert gone.status_code == 200
    assert TYPES not in html(gone)


def test_the_customer_sees_that_an_answer_is_being_written(hotel: Hotel, phone: Phone) -> None:
    before = version(customer_looks(phone))

    employee_looks(hotel, typing="1")

    seen = customer_looks(phone, v=before)
    assert ANSWERS in html(seen)
    assert customer_looks(phone, v=version(seen)).status_code == 204
    assert ANSWERS in phone.open()
    time_passes()
    assert ANSWERS not in html(customer_looks(phone, v=version(seen)))


def test_what_is_sent_is_no_longer_being_typed(hotel: Hotel, phone: Phone) -> None:
    customer_looks(phone, typing="1")
    employee_looks(hotel, typing="1")

    phone.write("Is there a pool?")
    hotel.send()

    assert TYPES not in html(employee_looks(hotel))
    assert ANSWERS not in html(customer_looks(phone))


def test_who_only_reads_is_never_seen_typing(hotel: Hotel, phone: Phone) -> None:
    assert employee_looks(hotel, "compliance", typing="1").status_code == 200
    assert employee_looks(hotel, "ren", typing="1").status_code == 404

    assert ANSWERS not in html(customer_looks(phone))


def test_one_talks_typing_shows_in_no_other(hotel: Hotel, phone: Phone) -> None:
    _link, token = chat_link_create(conversation=hotel.other, created_by=hotel.people["ren"])
    stranger = Phone(hotel)
    stranger.browser.get(url("chat_enter", token), follow=True)
    employee_looks(hotel, typing="1")
    customer_looks(phone, typing="1")

    assert ANSWERS not in html(customer_looks(stranger))
    assert "is typing" not in html(hotel.browser("ren").get(url("conversation_news", hotel.other.pk)))


def test_an_ended_link_marks_nothing(hotel: Hotel, phone: Phone) -> None:
    customer_looks(phone, typing="1")
    chat_link_revoke(link=phone.link, revoked_by=hotel.people["aoi"])

    assert TYPES not in html(employee_looks(hotel))
    assert customer_looks(phone, typing="1").status_code == 410


def test_nothing_of_it_is_recorded_and_a_script_writes_no_more_than_a_person(hotel: Hotel, phone: Phone) -> None:
    customer_looks(phone, typing="1")
    employee_looks(hotel, typing="1")
    rows = Message.objects.count(), Event.objects.count(), ChatLink.objects.count()

    with CaptureQueriesContext(
        connection,
    ) as asked:
        for _ in range(20):
            customer_looks(phone, typing="1")
            employee_looks(hotel, typing="1")

    assert (Message.objects.count(), Event.objects.count(), ChatLink.objects.count()) == rows
    assert not [query for query in asked if query["sql"].startswith("UPDATE") and "_chatlink" in query["sql"]]


def test_the_customer_sees_when_the_own_message_was_read(hotel: Hotel, phone: Phone) -> None:
    phone.write("Is there a pool?")
    unread = customer_looks(phone)
    assert "cg-state-read" not in html(unread)

    hotel.get("chief", "conversation", hotel.talk.pk)
    assert customer_looks(phone, v=version(unread)).status_code == 204, "who does not answer has not read it"
    hotel.get("aoi", "conversation", hotel.talk.pk)

    read = customer_looks(phone, v=version(unread))
    assert html(read).count("cg-state-read") == 1
    phone.write("And a sauna?")
    assert "cg-state-read" not in html(customer_looks(phone))
