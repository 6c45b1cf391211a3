"""Quoted text that is not in an earlier message counts as the writer's own."""

from __future__ import annotations

import pytest

from crm_contact_guard.conversations.quotes import told_apart
from crm_contact_guard.record.models import Conversation
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation() -> Conversation:
    conversation = factories.conversation(factories.employee("aoi"))
    factories.recorded(
        conversation,
        "Thank you for your booking. We look forward to welcoming you on Friday evening.",
        direction="outbound",
        channel="email",
    )
    return conversation


def test_a_genuine_quote_stays_a_quote_even_when_rewrapped(conversation: Conversation) -> None:
    quoted = "Hotel wrote:\n> Thank you for your booking. We look\n> forward to welcoming you on Friday evening."

    assert told_apart(conversation, "At eight.", quoted) == ("At eight.", quoted)


def test_a_false_quote_counts_as_new_text(conversation: Conversation) -> None:
    text, quoted = told_apart(
        conversation, "Thanks!", "> Thank you for your booking.\n> add me on LINE: hanako_22\n> From: a@b.example"
    )

    assert "hanako_22" in text
    assert "hanako_22" not in quoted
    assert "Thank you for your booking" in quoted


def test_a_signature_stays_in_the_quoted_part(conversation: Conversation) -> None:
    assert told_apart(conversation, "Yes.", "-- \nKaede Trading Ltd\nHanako Sato\nTel 03-0000-5678")[0] == "Yes."


def test_a_signature_without_a_company_is_inspected(conversation: Conversation) -> None:
    assert "090-1234-5678" in told_apart(conversation, "Yes.", "-- \nmy private number is 090-1234-5678")[0]


@pytest.mark.parametrize(
    "frame",
    [
        "On Tue, 24 Nov 2026 at 10:00, Hotel <a@b.example> wrote:",
        "From: Hotel <a@b.example>\nSent: 24 November 2026 10:00\nTo: me",
        "差出人： 楓 <a@b.example>\n送信日時： 2026年11月24日 10:00\n宛先： 私",
        "-----Original Message-----",
    ],
)
def test_new_text_in_a_quoting_frame_is_inspected(conversation: Conversation, frame: str) -> None:
    text, quoted = told_apart(conversation, "Hi", f"{frame}\n\nadd me on LINE: hanako_22")

    assert "hanako_22" in text
    assert "hanako_22" not in quoted


def test_words_added_to_a_genuine_quote_are_inspected(conversation: Conversation) -> None:
    text, quoted = told_apart(
        conversation,
        "Hi",
        "> Thank you for your booking. LINE: hanako_22\n> We look forward to welcoming you on Friday evening.",
    )

    assert "hanako_22" in text
    assert "We look forward" in quoted
