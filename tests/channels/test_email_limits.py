"""Mails are read within limits; what lies beyond them is reported, and kept within the original."""

from __future__ import annotations

import base64

import pytest

from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.channels.email import limits, structure
from crm_contact_guard.channels.email.addresses import addresses, first_address
from crm_contact_guard.channels.email.html_text import read_html
from crm_contact_guard.channels.email.inbound import read_mail


def read(raw: bytes) -> InboundMessage:
    (event,) = read_mail(raw, alias="email", envelope_from="hanako@mail.example", envelope_to=["reply@kaede.example"])
    assert isinstance(event, InboundMessage)
    assert event.files[0].content == raw
    return event


def unread(raw: bytes) -> list[str]:
    return list(read(raw).details.get("unread", []))


def nested(depth: int, text: bytes) -> bytes:
    opened = [b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (level, level) for level in range(depth)]
    closed = [b"\r\n--%d--" % level for level in reversed(range(depth))]
    return b"".join([*opened, b"\r\n", text, *closed, b"\r\n"])


def test_nested_parts_are_read_up_to_the_limit_and_reported_beyond() -> None:
    deepest = read(nested(structure.MAX_DEPTH, b"deep inside"))
    assert deepest.text == "deep inside"
    assert "unread" not in deepest.details

    assert unread(nested(structure.MAX_DEPTH + 1, b"too deep")) == ["parts are nested too deep"]


def test_parts_beyond_the_limit_are_reported() -> None:
    head, part = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", b"--b\r\n\r\nx\r\n"

    assert unread(head + part * (structure.MAX_PARTS - 1) + b"--b--\r\n") == []
    assert unread(head + part * (structure.MAX_PARTS + 1) + b"--b--\r\n") == ["too many parts"]


def test_a_text_beyond_the_limit_is_cut_and_reported() -> None:
    long = read(b"Subject: x\r\n\r\n" + b"a" * (limits.MAX_TEXT + 1))

    assert long.text == "a" * limits.MAX_TEXT
    assert long.details["unread"] == ["the text is too long"]


def test_of_many_references_the_newest_count() -> None:
    ids = [f"<{number}@mail.example>" for number in range(5_000)]
    event = read(f"References: {' '.join(ids)}\r\n\r\nhi".encode())

    assert event.references == tuple(ids[-100:])


def test_pictures_within_html_do_not_count() -> None:
    picture = base64.b64encode(b"x" * 4_000_000)
    event = read(b"Content-Type: text/html\r\n\r\n<img src='data:image/png;base64," + picture + b"'><p>below</p>")

    assert event.text == "below"
    assert "unread" not in event.details


def test_more_files_than_are_listed_are_reported() -> None:
    part = b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n"

    assert unread(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 60) == ["10 more files in the original"]


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        (b"aGVsbG8=", b"hello"),
        (b"aGVsbG8gdGhlcmU", b"hello there"),
        (b"aGVs*bG8=x", b"hello"),
        (b"aGVs\r\nbG8=\r\ndGhlcmU=", b"hellothere"),
        (b"====", b""),
    ],
)
def test_base64_is_decoded_as_far_as_it_goes(encoded: bytes, text: bytes) -> None:
    assert structure.base64_of(encoded) == text


@pytest.mark.parametrize(
    ("value", "listed"),
    [
        ("Hanako Sato <hanako@mail.example>", [("Hanako Sato", "hanako@mail.example")]),
        ("hanako@mail.example (Hanako)", [("Hanako", "hanako@mail.example")]),
        ('"Sato, H" <h@x.example>, b@c.example', [("Sato, H", "h@x.example"), ("", "b@c.example")]),
        ("Guests: a@b.example, X <c@d.example>;", [("", "a@b.example"), ("X", "c@d.example")]),
        ("=?utf-8?q?=22a=0d=0ab=22?= <x@y.example>", [("=?utf-8?q?=22a=0d=0ab=22?=", "x@y.example")]),
        ('"a b"@x.example', [("", '"a b"@x.example')]),
        ("<@relay.example:u@x.example>", [("", "u@x.example")]),
        ("chef@kaede.example <hanako@mail.example>", [("chef@kaede.example", "hanako@mail.example")]),
        ("(" * 600 + "a@b.example", []),
        ("<>, ,", []),
    ],
)
def test_addresses(value: str, listed: list[tuple[str, str]]) -> None:
    assert list(addresses(value)) == listed
    assert first_address(value) == (listed[0] if listed else ("", ""))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<head><p>without an end</p>", "without an end"),
        ("<![x]>seen", "seen"),
        ("LI<!-- -->NE", "LINE"),
        ("<p>a<p>b", "a\n\nb"),
        ("<table><tr><td>090</td><td>1234</td></table>", "090 1234"),
        ("<blockquote>one<br>two</blockquote>three", "> one\n> two\nthree"),
        ("<a href='https://line.me/x'>here</a>", "here <https://line.me/x>"),
        ("&#" + "9" * 5_000 + ";", "\ufffd"),
        ("<meta charset=shift_jis>夜に", "夜に"),
        ("<style>p{}</style>a<script>b</script>", "a"),
        ("<textarea>typed</textarea>", "typed"),
    ],
)
def test_html_gives_the_text_that_is_shown(source: str, text: str) -> None:
    shown = read_html(source)

    assert shown.text == text
    assert shown.whole


@pytest.mark.parametrize(
    "source",
    ["<div>" * 5_000 + "deep", "<p>" * 200_000 + "many", "<a " + "x" * 60_000 + ">long", "x" * 2_100_000 + "<b>late"],
)
def test_html_beyond_the_limits_is_stripped_of_tags_and_reported(source: str) -> None:
    shown = read_html(source)

    assert not shown.whole
    assert shown.text.endswith(source.rpartition(">")[2])


def test_a_closed_part_is_read_although_outer_ones_are_cut() -> None:
    """The first part stands before the limit; what follows must not take it away."""
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n--b\r\n" + nested(50, b"second")

    event = read(raw)
    assert event.text.startswith("first")
    assert event.details["unread"] == ["parts are nested too deep"]
