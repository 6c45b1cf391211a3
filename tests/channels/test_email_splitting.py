"""Replies of many programs in many languages are split into what is new and what is quoted, and nothing is lost."""

from __future__ import annotations

import pytest

from crm_contact_guard.channels.email.quoting import split
from tests.channels.reply_formats import (
    ATTRIBUTIONS,
    DEVICES,
    HEADERS,
    OLD,
    OLD_JA,
    SIGNATURES,
    WHOLE,
    marked,
)

NEW = {False: "Thank you.\n\nWe arrive at eight.", True: "ありがとうございます。\n\n八時に着きます。"}


def assert_new(text: str, new: str) -> None:
    parts = split(text)

    assert parts.new == new
    assert sorted("".join(f"{parts.new}{parts.quoted}".split())) == sorted("".join(text.split()))


@pytest.mark.parametrize("name", ATTRIBUTIONS)
def test_a_quote_below_an_attribution_line(name: str) -> None:
    new, old = NEW[name.startswith("ja")], OLD_JA if name.startswith("ja") else OLD

    assert_new(f"{new}\n\n{ATTRIBUTIONS[name]}\n\n{marked(old)}\n", new)
    assert_new(f"{new}\n{ATTRIBUTIONS[name]}\n{marked(old)}", new)


@pytest.mark.parametrize("name", [name for name in ATTRIBUTIONS if name != "android en"])
def test_a_quote_without_marks_below_an_attribution_line(name: str) -> None:
    new, old = NEW[name.startswith("ja")], OLD_JA if name.startswith("ja") else OLD

    assert_new(f"{new}\n\n{ATTRIBUTIONS[name]}\n\n{old}\n", new)


@pytest.mark.parametrize("name", ATTRIBUTIONS)
def test_an_answer_below_a_marked_quote(name: str) -> None:
    assert_new(f"{ATTRIBUTIONS[name]}\n\n{marked(OLD)}\n\nWe arrive at eight.", "We arrive at eight.")


@pytest.mark.parametrize("name", HEADERS)
def test_a_quote_below_a_header_block(name: str) -> None:
    new = NEW["ja" in name]

    assert_new(f"{new}\n\n{HEADERS[name]}\n\n{OLD}\n", new)


@pytest.mark.parametrize("name", HEADERS)
def test_a_marked_quote_below_a_header_block(name: str) -> None:
    new = NEW["ja" in name]

    assert_new(f"{new}\n\n{marked(HEADERS[name])}\n>\n{marked(OLD)}\n", new)


@pytest.mark.parametrize("device", DEVICES)
def test_a_devices_line(device: str) -> None:
    quote = f"On 24/11/2026 10:00, Hotel wrote:\n{marked(OLD)}"

    assert_new(f"See you.\n\n{device}\n", "See you.")
    assert_new(f"See you.\n\n{device}\n\n{quote}", "See you.")
    assert_new(f"{device}\n\n{quote}\n\nSee you.", "See you.")


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_signature(signature: str) -> None:
    assert_new(f"See you.\n\n{signature}\n", "See you.")
    assert_new(f"See you.\n\n{signature}\n\nOn 24/11/2026 10:00, Hotel wrote:\n{marked(OLD)}", "See you.")


@pytest.mark.parametrize("text", WHOLE)
def test_what_only_looks_like_a_quote_is_new(text: str) -> None:
    assert_new(text, text)


def test_a_reply_on_the_attributions_line() -> None:
    assert_new("At eight. On Tue, Nov 24, 2026 at 10:00 AM, Hotel <a@b.example> wrote:\n> When?", "At eight.")


def test_a_quoted_link_that_a_program_wrapped() -> None:
    assert_new("Fine.\n\n> See https://kaede.example/rooms?id=\n1234567&x=1\n> for the rooms.", "Fine.")
