"""Threads: evidence spread over messages, and talks that only look like it."""

from __future__ import annotations

import pytest

from crm_contact_guard import detection
from crm_contact_guard.detection import By, Direction, Kind, ThreadMessage, read_thread
from crm_contact_guard.detection.threads import PLAIN, TALK_MARGIN, speaks_for_itself

OUT, IN = Direction.OUTBOUND, Direction.INBOUND


def talk(*lines: tuple[Direction, str]) -> list[ThreadMessage]:
    return [ThreadMessage(text, direction, 2.0) for direction, text in lines]


def test_a_number_spread_over_messages() -> None:
    verdict = read_thread(
        talk(
            (IN, "カットありがとうございました！"),
            (OUT, "こちらこそ。次からは予約サイトじゃなくて私に直接どうぞ"),
            (OUT, "090"),
            (OUT, "2217"),
            (OUT, "0814 です。店には内緒で"),
        )
    )
    assert verdict.attempt
    assert verdict.by is By.EMPLOYEE
    assert verdict.at is not None
    assert verdict.at <= 4
    assert all(finding.message is not None for finding in verdict.findings)


def test_spans_of_a_spread_number_lie_in_their_messages() -> None:
    messages = talk(
        (IN, "Could you pass her something, just for her, my own number? 07700"),
        (IN, "900 341"),
        (IN, "and not through the office, please"),
    )
    verdict = read_thread(messages)
    assert verdict.attempt
    assert verdict.by is By.CUSTOMER
    for finding in verdict.findings:
        assert finding.message is not None
        assert 0 <= finding.start <= finding.end <= len(messages[finding.message].text)


def test_a_policy_number_in_pieces_is_none() -> None:
    verdict = read_thread(
        talk(
            (OUT, "What's the policy number, please?"),
            (IN, "0770"),
            (IN, "0900"),
            (IN, "482 slash B"),
            (OUT, "Found it. Renewal is on 30 November."),
        )
    )
    assert not verdict.attempt
    assert verdict.at is None
    assert verdict.by is None


def test_the_side_that_declines_is_not_the_one() -> None:
    verdict = read_thread(
        talk(
            (IN, "先生は土曜はお休みですか？"),
            (OUT, "はい、お休みをいただいています。"),
            (IN, "じゃあ土曜の昼、駅前で二人でごはん行きませんか。病院には内緒で。"),
            (OUT, "申し訳ありません、患者さんと私的にお会いすることはできません。"),
        )
    )
    assert verdict.attempt
    assert verdict.by is By.CUSTOMER
    assert verdict.at == 2


def test_empty_and_hostile_threads() -> None:
    assert not read_thread([]).attempt
    verdict = read_thread(talk((IN, "\ud800" * 50), (OUT, "")))
    assert all(finding.detector != "engine.error" for finding in verdict.findings)


def test_harassment_in_a_thread_is_no_attempt() -> None:
    verdict = read_thread(talk((IN, "ふざけるな、殺すぞ"), (OUT, "申し訳ございません。")))
    assert not verdict.attempt
    assert any(finding.kind is Kind.HARASSMENT for finding in verdict.findings)


def test_in_a_talk_a_message_must_be_surer_than_a_text_alone() -> None:
    threshold = 0.45
    assert not speaks_for_itself(threshold, threshold)
    assert speaks_for_itself(threshold + TALK_MARGIN, threshold)
    # However quiet a company wants it, what is plain alerts at once.
    assert speaks_for_itself(PLAIN, 0.83)


@pytest.mark.parametrize(
    "text",
    [
        "Let's talk on WhatsApp instead.",
        "Can I add you on WhatsApp?",
        "Could I get your personal number?",
        "LINE交換しませんか？",
        "個人的なLINEを教えてもらえませんか",
    ],
)
def test_no_talk_excuses_a_plain_invitation(text: str) -> None:
    assert detection.speaks_for_itself(detection.scan(text, direction=IN))
