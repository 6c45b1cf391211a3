"""Threads: evidence spread over several messages, and conversations that only look like it."""

from __future__ import annotations

import pytest

from crm_contact_guard.detection import By, Direction, Kind, Stance, ThreadMessage, Tier, read_message, read_thread

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


def test_spans_of_a_number_in_pieces_are_in_their_messages() -> None:
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


def test_a_policy_number_in_pieces_is_not_a_phone_number() -> None:
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


def test_the_side_that_declines_is_not_blamed() -> None:
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


def test_harassment_in_a_thread_is_not_an_attempt() -> None:
    verdict = read_thread(talk((IN, "ふざけるな、殺すぞ"), (OUT, "申し訳ございません。")))
    assert not verdict.attempt
    assert any(finding.kind is Kind.HARASSMENT for finding in verdict.findings)


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
def test_no_conversation_excuses_a_plain_invitation(text: str) -> None:
    before = talk((IN, "Hello, is the pool open?"), (OUT, "It is, until nine."), (IN, "Great, thank you!"))

    assert read_thread([*before, *talk((IN, text))]).tier is not Tier.NONE


def test_the_newest_message_is_judged_as_in_the_whole_thread() -> None:
    messages = talk(
        (IN, "ありがとうございました"),
        (IN, "個人的なLINE、教えてもらえませんか？"),
        (OUT, "いいですよ"),
        (IN, "やった！"),
    )
    by_message = [read_message(messages[: end + 1]) for end in range(len(messages))]
    whole = read_thread(messages)

    first = next(place for place, verdict in enumerate(by_message) if verdict.tier is Tier.ALERT)
    assert (whole.attempt, whole.at, whole.by) == (True, first, by_message[first].by)


def test_a_yes_to_a_request_is_an_acceptance_and_names_it() -> None:
    verdict = read_message(talk((IN, "個人的なLINEを教えてもらえませんか？"), (OUT, "いいですよ")))

    assert verdict.tier is not Tier.NONE
    assert (verdict.by, verdict.stance, verdict.at) == (By.EMPLOYEE, Stance.ACCEPT, 1)
    assert any(finding.detector == "thread.accepts" for finding in verdict.findings)
    alone = read_message(talk((IN, "明日の予約をお願いします"), (OUT, "いいですよ")))
    assert alone.tier is Tier.NONE


def test_asking_again_after_a_refusal_is_repeated_contact() -> None:
    verdict = read_message(
        talk(
            (IN, "Could I get your personal number?"),
            (OUT, "Sorry, we are not allowed to give those out."),
            (IN, "Come on, just your personal number, nobody will know."),
        )
    )

    assert verdict.by is By.CUSTOMER
    assert {finding.message for finding in verdict.findings if finding.detector == "thread.presses"} == {0, 2}
    assert any(finding.kind is Kind.REPEATED_CONTACT for finding in verdict.findings)


def test_scores_do_not_grow_with_the_length_of_a_harmless_thread() -> None:
    once = talk((IN, "Could you find me a hotel near the station?"), (OUT, "Of course. Let me know your dates."))
    short, long = read_thread(once), read_thread(once * 40)

    assert long.tier is Tier.NONE
    assert long.score == pytest.approx(short.score, abs=0.05)


def test_evidence_of_another_day_does_not_count() -> None:
    number = talk((OUT, "090"), (OUT, "2217"), (OUT, "0814"))
    fresh = read_message(number)
    stale = read_message([ThreadMessage(one.text, one.direction, 5 * 24 * 60) for one in number])

    assert any(finding.kind is Kind.CONTACT_IDENTIFIER for finding in fresh.findings) or fresh.tier is Tier.NONE
    assert stale.tier is Tier.NONE
