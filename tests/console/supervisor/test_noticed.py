"""The mark beside a message in which something was noticed: for supervisors, calm, and on no queue."""

from __future__ import annotations

from typing import Any

import pytest

from crm_contact_guard.supervision.alerts import NewFinding, Verdict
from crm_contact_guard.supervision.models import Finding
from crm_contact_guard.supervision.noticing import notice
from tests.console.conftest import Hotel, says

MARK = "Noticed, nobody was warned"


@pytest.fixture
def talk(hotel: Hotel) -> Any:
    message = says(hotel.talk, "Do you use LINE?")
    finding = NewFinding(
        message=message, kind="contact_request", start=11, end=15, score=0.3, detector="your_handle", version="1"
    )
    verdict = Verdict(topic="off_channel", by="customer", stance="ask", at=message, findings=[finding], tier="noticed")
    assert notice(conversation=hotel.talk, verdict=verdict)
    return hotel.talk


def test_no_reason_points_to_marks_that_are_not_there(hotel: Hotel, talk: Any) -> None:
    Finding.objects.update(detector="thread.ranker")

    shown = page(hotel, "chief", "conversation", talk.pk)

    assert "Wish to talk elsewhere" in shown
    assert "marked sentence" not in shown


def page(hotel: Hotel, who: str, name: str, *args: Any) -> str:
    return hotel.get(who, name, *args).content.decode()


@pytest.mark.parametrize("who", ["chief", "vice", "compliance", "auditor"])
def test_who_watches_the_talk_reads_that_and_why(hotel: Hotel, talk: Any, who: str) -> None:
    shown = page(hotel, who, "conversation", talk.pk)

    assert MARK in shown
    assert page_reason() in shown
    # A remark and no charge: nothing in the words is marked, the message is not framed as evidence.
    assert "cg-mark" not in shown
    assert "cg-flagged" not in shown


def page_reason() -> str:
    from crm_contact_guard.console.conversation.reasons import reason

    return reason("your_handle", "contact_request").replace("'", "&#x27;")


def test_the_employee_concerned_reads_nothing_of_it(hotel: Hotel, talk: Any) -> None:
    for name in ("conversation", "inbox_conversation", "conversation_news"):
        shown = page(hotel, "aoi", name, talk.pk)
        assert "Do you use LINE?" in shown
        assert MARK not in shown
        assert "cg-noticed" not in shown


def test_it_stands_on_no_queue(hotel: Hotel, talk: Any) -> None:
    for name in ("dashboard", "alerts", "alerts_news"):
        shown = page(hotel, "chief", name)
        assert MARK not in shown
        assert "Hanako" not in shown


def test_an_open_page_learns_of_it(hotel: Hotel, talk: Any) -> None:
    assert MARK in page(hotel, "chief", "conversation_news", talk.pk)


def test_a_japanese_supervisor_reads_it_in_japanese(hotel: Hotel, talk: Any) -> None:
    answer = hotel.get("chief", "conversation", talk.pk, headers={"accept-language": "ja"})

    assert "検知のみ（通知なし）" in answer.content.decode()
