"""The page of a search, as each role sees it."""

from __future__ import annotations

from typing import Any

import pytest

from crm_contact_guard.record.models import Event
from crm_contact_guard.search import filling
from tests.console.conftest import Hotel, says, url

pytestmark = pytest.mark.django_db


def page(hotel: Hotel, who: str, query: str) -> str:
    answer = hotel.get(who, "search", query=query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_words_are_marked_and_lead_to_the_message(hotel: Hotel) -> None:
    message = says(hotel.talk, "<b>Hello</b>, is the Room ready? " * 3 + "x" * 300)
    filling.fill()

    shown = page(hotel, "aoi", "?q=room")

    assert shown.count("<mark>Room</mark>") == 3
    assert "<b>Hello" not in shown
    assert f"{url('conversation', hotel.talk.pk)}?around={message.pk}" in shown
    assert "…</span>" in shown
    assert "No message that you may read" in page(hotel, "aoi", "?q=garage")
    assert "two or more characters" in page(hotel, "aoi", "?q=a")


def test_filters_and_the_way_to_an_export(hotel: Hotel) -> None:
    says(hotel.talk, "Is the room ready?")
    filling.fill()

    assert "<mark>" in page(hotel, "chief", "?q=room&customer=hanako&direction=inbound&first_day=2020-01-01")
    assert "<mark>" not in page(hotel, "chief", "?q=room&direction=outbound")
    assert "<mark>" not in page(hotel, "chief", "?q=room&last_day=2020-01-01")
    assert "<mark>" not in page(hotel, "boss", "?q=room")
    assert "Enter a valid date" in page(hotel, "chief", "?q=room&first_day=yesterday")
    wanted = "?q=room&amp;direction=inbound"
    assert f"{url('exports')}{wanted}" in page(hotel, "auditor", "?q=room&direction=inbound")
    assert url("exports") + "?" not in page(hotel, "chief", "?q=room")
    assert 'value="inbound" selected' in hotel.get("auditor", "exports", query="?direction=inbound").content.decode()


def test_names_are_hidden_as_in_the_queue(hotel: Hotel, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "PSEUDONYMS": True}
    says(hotel.talk, "Is the room ready? Hanako")
    filling.fill()

    shown = page(hotel, "chief", "?q=room")
    assert "Hanako" not in shown
    assert "Aoi" not in shown
    assert "<mark>room</mark>" in shown
    assert "Hanako" in page(hotel, "aoi", "?q=room")


def test_compliance_sees_who_searched_for_what(hotel: Hotel) -> None:
    says(hotel.talk, "Is the room ready?")
    page(hotel, "chief", "?q=room")

    shown = hotel.get("compliance", "access_log", query="?what=searched").content.decode()

    assert Event.objects.filter(kind="view.search").count() == 1
    assert "searched the record for" in shown
    assert "room" in shown
