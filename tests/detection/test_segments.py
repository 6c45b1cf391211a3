"""Parts of a text: all of the writer's words are judged, and none of the words of others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_contact_guard.detection import Direction, scan, scan_many
from crm_contact_guard.detection.segments import Said, Whose, own_words, segments, words_of_others
from tests.detection.messy_mails import ALL, Mail

ATTEMPT = "Add me on LINE: hanako_22, and don't tell the hotel."
#: Pieces that mail and chat programs, or people who hide something, put into a text.
PIECES = (
    "\n",
    "\r\n",
    "> ",
    "＞",
    "| ",
    ">> ",
    "-- ",
    "—",
    "__",
    "====",
    "****",
    "＝＝＝",
    "On Tue, 24 Nov 2026 at 10:00, A <a@b.example> wrote:",
    "差出人： 楓 <a@b>",
    "From: A <a@b>",
    "Sent: 24 Nov 2026 10:00",
    "To: me",
    "Subject: RE: x",
    "-----Original Message-----",
    "Sent from my iPhone",
    "iPhoneから送信",
    "株式会社楓",
    "TEL 03-0000-0000",
    "10:32\t楓\tはい",
    "[12/03/2026, 10:32] Joe: hi",
    "客：",
    "私：",
    "Customer: ",
    "「携帯教えて」と言われた",
    "“call me”",
    "This e-mail is confidential.",
    "2026/03/12(木)",
    "hello",
    "はい",
    "090-1234-5678",
    "\u200b",
    "\ud800",
    " ",
    "\u3000",
    ":",
)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=30).map("".join)
SIDES = st.sampled_from(list(Direction))


def owned(mail: Mail) -> list[tuple[str, str, float]]:
    """Yield each non-blank line with the proportion of it that is judged as the writer's."""
    parts = segments(mail.text, Direction(mail.direction))
    found, at = [], 0
    for known, line in mail.lines:
        if line.strip():
            end = at + len(line)
            mine = sum(max(0, min(end, p.end) - max(at, p.start)) for p in parts if p.whose.is_judged)
            found.append((known, line, mine / len(line)))
        at += len(line) + 1
    return found


@pytest.mark.parametrize("mail", ALL, ids=lambda mail: mail.id)
def test_the_writers_words_are_judged(mail: Mail) -> None:
    assert [line for known, line, mine in owned(mail) if known == "w" and mine < 0.2] == []


@pytest.mark.parametrize("mail", ALL, ids=lambda mail: mail.id)
def test_the_words_of_others_are_not_judged(mail: Mail) -> None:
    assert [line for known, line, mine in owned(mail) if known == "t" and mine > 0.5] == []


def test_most_frames_and_signatures_are_recognised() -> None:
    nobodys = [mine <= 0.5 for mail in ALL for known, _, mine in owned(mail) if known == "n"]

    assert sum(nobodys) / len(nobodys) >= 0.93


def test_verdicts_are_about_the_writer() -> None:
    verdicts = [(mail.attempt, scan(mail.text, direction=mail.direction).attempt) for mail in ALL]

    assert sum(found for attempt, found in verdicts if attempt) >= 0.9 * sum(attempt for attempt, _ in verdicts)
    assert sum(found for attempt, found in verdicts if not attempt) <= 2


def test_a_batch_gets_the_same_verdicts_as_each_text_alone() -> None:
    pairs = [(mail.text, mail.direction) for mail in ALL]

    assert list(scan_many(pairs)) == [scan(text, direction=side) for text, side in pairs]


def test_findings_point_into_the_whole_text() -> None:
    text = f"> Shall I hold the room?\nYes.\n> Anything else?\n{ATTEMPT}\n"
    verdict = scan(text, direction="inbound")

    assert verdict.attempt
    assert "hanako_22" in {text[f.start : f.end] for f in verdict.findings}


def test_quoted_customers_in_a_note_are_recognised() -> None:
    note = "Call at ten\nCustomer: give me your private mobile, I won't use the branch\nMe: I can't, sorry."

    assert not scan(note, direction="note").attempt
    assert scan(words_of_others(note, Direction.NOTE).text, direction="inbound").tier != "none"


def test_with_earlier_messages_only_their_repetition_is_a_quote() -> None:
    text = f"Fine.\n\nOn Tue, 24 Nov 2026 at 10:00, Hotel <a@b.example> wrote:\n> Your room is ready\n> from three.\n> {ATTEMPT}"
    said = ["Your room is ready from three."]

    assert not scan(text, direction="inbound").attempt
    assert scan(text, direction="inbound", said=said).attempt
    assert not scan(text, direction="inbound", said=[*said, ATTEMPT]).attempt


def test_a_single_digit_on_a_line_is_not_a_repetition() -> None:
    assert not any(Said(["room 0 9 0 1 2 3 4 5 6 7 8 abc"]).repeated(["0", "9", "0", "1", "2", "3"]))


@given(TEXTS, SIDES, st.none() | st.lists(TEXTS, max_size=3))
@settings(max_examples=300)
def test_segments_cover_the_text_and_never_raise(text: str, side: Direction, said: list[str] | None) -> None:
    parts = segments(text, side, said)

    assert "".join(text[part.start : part.end] for part in parts) == text
    assert all(part.start < part.end for part in parts)
    own = own_words(text, side, said)
    if own is not None:
        judged = [(p.start, p.end) for p in parts if p.whose.is_judged]
        assert own.text == "".join(text[start:end] for start, end in judged)
        for start in range(0, len(own.text), 7):
            low, high = own.span(start, start + 1)
            assert text[low:high] == own.text[start]


@given(
    st.lists(
        st.sampled_from(
            ("Where is room four?", "Breakfast is at seven.", "個人の携帯を教えて。", "Call me on 07700 900123.")
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=40)
def test_a_quote_does_not_change_findings_in_the_writers_words(quoted: list[str]) -> None:
    marked = "".join(f"> {line}\n" for line in quoted)
    for own in (ATTEMPT, "See you at eight."):
        alone, with_quote = scan(f"{own}\n", direction="inbound"), scan(f"{own}\n{marked}", direction="inbound")
        assert alone == with_quote


def test_lines_beyond_the_limit_are_the_writers() -> None:
    text = "a\n" * 10_000 + f"> {ATTEMPT}"

    assert segments(text, Direction.INBOUND)[-1].whose is Whose.WRITER
