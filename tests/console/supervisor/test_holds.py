"""The page on which supervisors decide, and what the writer sees of it."""

from __future__ import annotations

import pytest

from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.record.models import Event
from tests import factories
from tests.console.conftest import Hotel


def html(hotel: Hotel, who: str, page: str, *args: object) -> str:
    return hotel.get(who, page, *args).content.decode()


def test_a_supervisor_reads_decides_and_the_writer_sees_the_remark(hotel: Hotel) -> None:
    message = factories.held(hotel.talk)
    page = html(hotel, "chief", "holds")
    assert "aoi_private" in page
    assert "It looks like a private contact." in page
    assert "Your supervisor looks at it first" in html(hotel, "aoi", "conversation", hotel.talk.pk)

    words = "Please give <b>our</b> account instead."
    hotel.post("chief", "hold_return", message.pk, data={"reason": words})

    seen = html(hotel, "aoi", "conversation", hotel.talk.pk)
    assert "Please give &lt;b&gt;our&lt;/b&gt; account instead." in seen
    assert "Chief" in seen
    assert "aoi_private" not in html(hotel, "chief", "holds")


def test_reading_a_held_message_is_recorded(hotel: Hotel) -> None:
    factories.held(hotel.talk)
    for _ in range(2):
        html(hotel, "chief", "holds")

    assert Event.objects.filter(kind="view.content", actor=str(hotel.people["chief"].pk)).count() == 1


def test_words_that_are_missing_are_asked_for(hotel: Hotel) -> None:
    message = factories.held(hotel.talk)

    response = hotel.post("chief", "hold_reject", message.pk, data={"reason": " "})

    assert response.status_code == 422
    assert "<details open>" in response.content.decode()
    assert Wait.objects.get(pk=message.pk).state == "held"


def test_the_second_decision_is_told_about_the_first(hotel: Hotel) -> None:
    message = factories.held(hotel.talk)
    assert hotel.post("vice", "hold_approve", message.pk).status_code == 302

    late = hotel.post("chief", "hold_reject", message.pk, data={"reason": "No"})

    assert late.status_code == 409
    assert "no longer waiting for a decision" in late.content.decode()


@pytest.mark.parametrize(("who", "sees"), [("chief", True), ("vice", True), ("boss", False), ("compliance", True)])
def test_emergencies_are_listed_for_who_watches(hotel: Hotel, who: str, sees: bool) -> None:
    hotel.send("aoi", "The lift is stuck.", emergency="on")

    assert ("Sent as an emergency" in html(hotel, who, "holds")) is sees
