"""What was only noticed, over the API: for those who would have been warned, told apart from what warned them."""

from __future__ import annotations

import pytest

from crm_contact_guard.supervision.alerts import NewFinding, Verdict
from crm_contact_guard.supervision.models import Finding
from crm_contact_guard.supervision.noticing import notice
from tests.api.conftest import Hotel, says


@pytest.fixture
def noticed(hotel: Hotel) -> Finding:
    """Something noticed in Aoi's talk and in each of the others; the one in hers."""
    found = []
    for talk in (hotel.talk, hotel.other_talk, hotel.chief_talk):
        message = says(talk, "Do you use LINE?")
        one = NewFinding(
            message=message, kind="contact_request", start=0, end=5, score=0.3, detector="ranker", version="1"
        )
        verdict = Verdict(topic="off_channel", by="customer", stance="ask", at=message, findings=[one], tier="noticed")
        found += notice(conversation=talk, verdict=verdict)
    return found[0]


def listed(hotel: Hotel, name: str, query: str = "") -> list[tuple[str, str | None]]:
    rows = hotel.call(name, "GET", f"findings/{query}").json()["results"]
    return [(row["tier"], row["alert"]) for row in rows]


def test_the_tier_is_a_field_and_a_filter(hotel: Hotel, noticed: Finding) -> None:
    assert {tier for tier, alert in listed(hotel, "kai") if alert is None} == {"noticed"}
    assert {tier for tier, alert in listed(hotel, "kai") if alert is not None} == {"alert"}
    assert listed(hotel, "kai", "?tier=noticed") == [("noticed", None)] * 3
    assert len(listed(hotel, "kai", "?tier=alert")) == 6
    assert hotel.call("kai", "GET", "findings/?tier=loud").status_code == 400


# Aoi answers the talk, Mei is her colleague; Sora and Yui look after them, Hina after Ren.
SEEN = {"aoi": 0, "mei": 0, "ren": 0, "sora": 1, "yui": 2, "hina": 1, "kai": 3, "rio": 3}


@pytest.mark.parametrize("name", SEEN)
def test_who_would_have_been_warned_sees_it_and_nobody_else(hotel: Hotel, noticed: Finding, name: str) -> None:
    assert len(listed(hotel, name, "?tier=noticed")) == SEEN[name]


def test_who_has_written_in_a_talk_does_not_see_what_was_noticed_in_it(hotel: Hotel, noticed: Finding) -> None:
    """Sora answered once and handed the talk over: what was noticed may concern her own words."""
    hotel.talk.employee = hotel.people["sora"]
    hotel.talk.save()
    hotel.call(
        "sora", "POST", f"conversations/{hotel.talk.pk}/messages/", {"text": "Your room is ready.", "channel": "chat"}
    )
    assert hotel.talk.messages.filter(employee=hotel.people["sora"]).exists()
    hotel.talk.employee = hotel.people["aoi"]
    hotel.talk.save()

    assert listed(hotel, "sora", "?tier=noticed") == []
    assert len(listed(hotel, "yui", "?tier=noticed")) == 2


def test_the_employee_concerned_finds_no_trace_in_the_answers(hotel: Hotel, noticed: Finding) -> None:
    for path in (
        "findings/",
        "messages/",
        f"conversations/{hotel.talk.pk}/",
        f"conversations/{hotel.talk.pk}/messages/",
    ):
        answer = hotel.call("aoi", "GET", path)
        assert answer.status_code == 200
        assert "noticed" not in answer.content.decode()


def test_who_takes_a_talk_over_no_longer_sees_what_was_noticed_in_it(hotel: Hotel, noticed: Finding) -> None:
    assert len(listed(hotel, "sora", "?tier=noticed")) == 1
    hotel.talk.employee = hotel.people["sora"]
    hotel.talk.save()

    assert listed(hotel, "sora", "?tier=noticed") == []
