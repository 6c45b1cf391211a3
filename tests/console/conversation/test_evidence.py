"""Marking evidence in place, whatever the text is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crm_contact_guard.console.conversation.evidence import Piece, Span, pieces
from tests.console.conftest import Hotel, alert_for, says


def test_offsets_count_code_points_beyond_the_basic_plane() -> None:
    text = "😀👨‍👩‍👧 𠮷野家 ID: hanako_22 😀"
    start = text.index("hanako_22")

    assert pieces(text, [Span(start, start + 9, 1)]) == [
        Piece(text[:start]),
        Piece("hanako_22", (1,)),
        Piece(" 😀"),
    ]


def test_overlapping_evidence_bears_both_numbers() -> None:
    found = pieces("0123456789", [Span(0, 6, 1), Span(4, 8, 2)])

    assert [(piece.text, piece.numbers) for piece in found] == [
        ("0123", (1,)),
        ("45", (1, 2)),
        ("67", (2,)),
        ("89", ()),
    ]


@given(st.text(), st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60))))
def test_the_pieces_joined_are_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    found = pieces(text, [Span(start, end, number) for number, (start, end) in enumerate(spans)])

    assert "".join(piece.text for piece in found) == text


def test_hostile_text_is_shown_and_not_run(hotel: Hotel) -> None:
    text = '<img src=x onerror="alert(1)">😀 </p><script>alert(2)</script> {{ 7|add:7 }}'
    start = text.index("<script>")
    raised = alert_for(hotel.talk, says(hotel.talk, text, from_name="<b>Eve</b>"), start, start + 8)

    html = hotel.get("chief", "alert", raised.pk).content.decode()

    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;😀 &lt;/p&gt;" in html
    assert ">&lt;script&gt;</mark>alert(2)&lt;/script&gt; {{ 7|add:7 }}" in html
    assert "&lt;b&gt;Eve&lt;/b&gt;" in html
    assert "<img src=x" not in html


def test_the_alert_says_why_in_the_readers_language(hotel: Hotel) -> None:
    raised = alert_for(hotel.talk, says(hotel.talk, "my ID is hanako_22"), 9, 18)
    english = hotel.get("chief", "alert", raised.pk).content.decode()
    japanese = hotel.get("chief", "alert", raised.pk, headers={"accept-language": "ja"}).content.decode()

    from crm_contact_guard import detection

    assert f"</span> {detection.reason('handle', 'en')}" in english
    assert f"</span> {detection.reason('handle', 'ja')}" in japanese
    assert "個人の連絡先" in japanese
