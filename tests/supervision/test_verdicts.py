"""Verdicts from detection's results: topics, sides, tiers, and the message with the evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_contact_guard.detection.types import By, Finding, Kind, Scan, Stance, ThreadVerdict, Tier
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.contents import Content
from crm_contact_guard.supervision.talks import as_thread, talk_up_to
from crm_contact_guard.supervision.verdicts import merged, of_content, of_talk
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation() -> Conversation:
    return factories.conversation(factories.employee("aoi"))


@pytest.fixture
def talk(conversation: Conversation) -> list[Message]:
    """Three messages, the newest from the customer."""
    return [said(conversation, number, who) for number, who in enumerate(("inbound", "outbound", "inbound"))]


def said(conversation: Conversation, minutes: float, direction: str) -> Message:
    return factories.recorded(
        conversation,
        f"line {minutes}",
        direction=direction,
        occurred_at=factories.office_time() + timedelta(minutes=minutes),
    )


def found(
    kind: Kind = Kind.CONTACT_REQUEST, message: int | None = 2, score: float = 0.6, detector: str = "x"
) -> Finding:
    return Finding(kind, 0, 4, score, detector, "1", message=message)


def answer(*findings: Finding, tier: Tier = Tier.ALERT, **more: Any) -> ThreadVerdict:
    told = {"by": By.CUSTOMER, "stance": Stance.ASK, "at": 2, **more}
    return ThreadVerdict(tier is Tier.ALERT, score=0.6, findings=findings, tier=tier, **told)


@pytest.mark.parametrize("tier", [Tier.ALERT, Tier.NOTICED])
def test_evidence_of_leaving_may_be_in_earlier_messages(talk: list[Message], tier: Tier) -> None:
    [made] = of_talk(talk, answer(found(message=0), found(message=2), tier=tier))

    assert (made.topic, made.by, made.stance, made.at, made.tier) == ("off_channel", "customer", "ask", talk[2], tier)
    assert [one.message for one in made.findings] == [talk[0], talk[2]]


def test_findings_of_leaving_without_a_tier_are_dropped(talk: list[Message]) -> None:
    assert of_talk(talk, answer(found(), tier=Tier.NONE)) == []


def test_other_topics_of_earlier_messages_are_not_reported_again(talk: list[Message]) -> None:
    said_now = answer(found(Kind.SENSITIVE_DATA, 0), found(Kind.HARASSMENT, 0), tier=Tier.NONE)
    assert of_talk(talk, said_now) == []

    [made] = of_talk(talk, answer(found(Kind.SENSITIVE_DATA, 2), tier=Tier.NONE))
    assert (made.topic, made.by, made.tier, made.at) == ("sensitive_data", "customer", "alert", talk[2])


@pytest.mark.parametrize(
    ("scores", "tier"), [((0.49,), "noticed"), ((0.5,), "alert"), ((0.2, 0.8), "alert"), ((0.2, 0.3), "noticed")]
)
def test_harassment_is_an_alert_from_a_score_on(talk: list[Message], scores: tuple[float, ...], tier: str) -> None:
    [made] = of_talk(talk, answer(*(found(Kind.HARASSMENT, score=score) for score in scores), tier=Tier.NONE))

    assert (made.topic, made.tier, len(made.findings)) == ("harassment", tier, len(scores))


def test_a_text_that_could_not_be_judged_is_an_alert(talk: list[Message]) -> None:
    [made] = of_talk(
        talk, answer(found(detector="engine.error"), found(message=0, detector="engine.error"), tier=Tier.NONE)
    )

    assert (made.topic, made.tier, [one.message for one in made.findings]) == ("scan_failure", "alert", [talk[2]])


def test_a_private_topic_raises_no_alert(talk: list[Message]) -> None:
    assert of_talk(talk, answer(found(Kind.PRIVATE_TOPIC))) == []


def test_text_and_file_are_one_verdict_in_the_higher_tier(talk: list[Message]) -> None:
    scan = Scan(True, By.CUSTOMER, Stance.OFFER, 0.9, (found(message=None),), Tier.ALERT)
    in_file = of_content(talk[2], Content("file-0", "card.pdf", scan))
    in_text = of_talk(talk, answer(found(), tier=Tier.NOTICED))

    for order in ([*in_text, *in_file], [*in_file, *in_text]):
        [made] = merged(order)
        assert (made.tier, made.stance) == ("alert", "offer")
        assert {one.place for one in made.findings} == {"", "file-0"}


def test_a_file_may_be_noticed(talk: list[Message]) -> None:
    scan = Scan(False, By.CUSTOMER, Stance.OFFER, 0.3, (found(message=None),), Tier.NOTICED)

    [made] = of_content(talk[2], Content("file-0", "card.pdf", scan))

    assert (made.tier, made.findings[0].place) == ("noticed", "file-0")


def test_a_thread_is_oldest_first_with_pauses_and_without_notes(conversation: Conversation) -> None:
    first, note = said(conversation, 0, "inbound"), said(conversation, 1, "note")
    second, third = said(conversation, 5, "outbound"), said(conversation, 5, "inbound")

    assert talk_up_to(third) == [first, second, third]
    assert [line.minutes_after_previous for line in as_thread(talk_up_to(third))] == [0, 5, 0]
    assert talk_up_to(note) == [note]
    assert talk_up_to(first) == [first]
    # Of two messages with the same time, the requested one is the newest.
    assert talk_up_to(second)[-1] == second


def test_a_thread_spans_at_most_a_week_and_thirty_messages(conversation: Conversation) -> None:
    old = said(conversation, -60 * 24 * 8, "inbound")
    rows = [said(conversation, minutes, "inbound") for minutes in range(40)]

    assert old not in talk_up_to(rows[0])
    assert talk_up_to(rows[-1]) == rows[-30:]
