"""Mails whose MIME is broken the way real programs break it are read as mail programs show them."""

from __future__ import annotations

from base64 import b64encode

import pytest

from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.channels.email.inbound import read_mail

JAPANESE = "℡①髙橋です。連絡先を教えてください。"


def read(raw: bytes) -> InboundMessage:
    (event,) = read_mail(raw, alias="email", envelope_from="guest@b.example", envelope_to=["hotel@kaede.example"])
    assert isinstance(event, InboundMessage)
    return event


def windows_iso_2022_jp(text: str) -> bytes:
    """ISO-2022-JP as Windows writes it: rows of code page 932 that the standard lacks."""
    coded = bytearray()
    for character in text:
        pair = character.encode("cp932")
        if len(pair) == 1:
            coded += pair
            continue
        row = 2 * (pair[0] - (0x70 if pair[0] < 0xA0 else 0xB0)) - 1
        cell = pair[1] - (0x1F if pair[1] < 0x7F else 0x20)
        if pair[1] >= 0x9F:
            row, cell = row + 1, pair[1] - 0x7E
        coded += b"\x1b$B" + bytes([row, cell]) + b"\x1b(B"
    return bytes(coded)


@pytest.mark.parametrize(
    ("label", "content", "text"),
    [
        ("iso-2022-jp", windows_iso_2022_jp("℡①です。"), "℡①です。"),
        ("us-ascii", windows_iso_2022_jp("連絡先①です。"), "連絡先①です。"),
        ("utf-8", "電話ください".encode("iso2022_jp"), "電話ください"),
        ("", "電話ください".encode("iso2022_jp"), "電話ください"),
        ("iso-2022-jp", "ﾃﾞﾝﾜください".encode("iso2022_jp_ext"), "ﾃﾞﾝﾜください"),
        ("shift_jis", JAPANESE.encode("cp932"), JAPANESE),
        ("x-sjis", JAPANESE.encode("cp932"), JAPANESE),
        ("windows-31j", JAPANESE.encode("cp932"), JAPANESE),
        ("x-euc-jp", "外で会いませんか".encode("euc_jp"), "外で会いませんか"),
        ("gb2312", "朱镕基 電話".encode("gb18030"), "朱镕基 電話"),
        ("us-ascii", "é ありがとう 🙂".encode(), "é ありがとう 🙂"),
        ("us-ascii", "外で会いませんか".encode("cp932"), "外で会いませんか"),
        ("", "外で会いませんか".encode("euc_jp"), "外で会いませんか"),
        ("utf-8", "I don’t “know”, Müller".encode("cp1252"), None),
        ("", "I don’t “know”, Müller".encode("cp1252"), "I don’t “know”, Müller"),
        ("iso-8859-1", "it costs 5 €".encode("cp1252"), "it costs 5 €"),
        ("ks_c_5601-1987", "똠방각하".encode("cp949"), "똠방각하"),
        ("punycode", b"call me", "call me"),
        ("unicode_escape", b"call \\x6de", "call \\x6de"),
    ],
)
def test_text_is_decoded_as_it_was_meant(label: str, content: bytes, text: str | None) -> None:
    kind = f"text/plain; charset={label}" if label else "text/plain"
    found = read(f"From: a@b.example\r\nContent-Type: {kind}\r\n\r\n".encode() + content).text

    assert found == text if text is not None else "know" in found


@pytest.mark.parametrize(
    "code",
    [
        b64encode(b"call me at eight") + b"\nQ",
        b64encode(b"call me ") + b64encode(b"at eight"),
        b64encode(b"call me at eight").replace(b"=", b""),
        b"!" + b64encode(b"call me at eight") + b"\n--\n",
    ],
)
def test_superfluous_characters_in_base64_leave_the_text(code: bytes) -> None:
    text = read(b"From: a@b.example\r\nContent-Transfer-Encoding: base64\r\n\r\n" + code).text

    assert text.startswith("call me at eight")


def test_an_unquoted_boundary_may_contain_an_equals_sign() -> None:
    raw = (
        b"From: a@b.example\r\nContent-Type: multipart/alternative;\r\n boundary=----=_NextPart_000_0001\r\n\r\n"
        b"------=_NextPart_000_0001\r\nContent-Type: text/plain\r\n\r\ncall me\r\n------=_NextPart_000_0001--\r\n"
    )

    assert read(raw).text == "call me"


def test_the_text_of_a_multipart_mail_without_boundary_is_read() -> None:
    assert "call me" in read(b"From: a@b.example\r\nContent-Type: multipart/mixed\r\n\r\ncall me\r\n").text


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        (b"Content-Disposition: attachment; filename==?UTF-8?B?6KaL56mN5pu4LnBkZg==?=", "見積書.pdf"),
        (b'Content-Type: application/pdf; name="=?iso-2022-jp?B?GyRCLSEbKEIucGRm?="', "①.pdf"),
        (b"Content-Disposition: attachment; filename=my quote.pdf; size=9", "my quote.pdf"),
        (b'Content-Disposition: attachment; filename="' + "見積書①.pdf".encode("cp932") + b'"', "見積書①.pdf"),
        ('Content-Disposition: attachment; filename="見積.pdf"'.encode(), "見積.pdf"),
        (
            b"Content-Disposition: attachment;\r\n filename*0*=utf-8''%E8%A6%8B;\r\n filename*1*=%E7%A9%8D;"
            b"\r\n filename*2=.pdf",
            "見積.pdf",
        ),
        (
            b"Content-Disposition: attachment; filename=\"x.pdf\"; filename*=Shift_JIS'ja'%8C%A9%90%CF.pdf",
            "見積.pdf",
        ),
        (b'Content-Disposition: attachment; filename="a\\"b;c.pdf"', 'a"b;c.pdf'),
        (b"Content-Disposition: attachment", "file-1"),
    ],
)
def test_names_of_files(headers: bytes, name: str) -> None:
    raw = (
        b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n\r\nsee file\r\n--x\r\n'
        + headers
        + b"\r\n\r\n%PDF\r\n--x--\r\n"
    )

    assert [file.name for file in read(raw).files[1:]] == [name]


def test_headers_are_decoded_after_the_address_is_read() -> None:
    event = read(
        b"From: =?utf-8?q?hotel=40kaede.example_=3Cboss=40kaede.example=3E?= <guest@b.example>\r\n"
        b"Subject: =?iso-2022-jp?B?GyRCLWobKEI=?= =?utf-8?q?=E3=81?= =?utf-8?q?=82?=\r\n\r\nhi"
    )

    assert event.from_address == "guest@b.example"
    assert event.subject == "㈱あ"


def test_an_attached_mail_is_read_and_listed_with_its_files() -> None:
    attached = (
        b"From: friend@c.example\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n"
        b'Content-Type: multipart/mixed; boundary="y"\r\n\r\n--y\r\n\r\nmy LINE is hanako_22\r\n'
        b'--y\r\nContent-Type: text/csv; name="list.csv"\r\n\r\na,b\r\n--y--\r\n'
    )
    head = b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n\r\nsee below\r\n--x\r\n'
    plain = read(head + b"Content-Type: message/rfc822\r\n\r\n" + attached + b"\r\n--x--\r\n")
    encoded = read(
        head
        + b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + b64encode(attached)
        + b"\r\n--x--\r\n"
    )

    for event in (plain, encoded):
        assert event.text == "see below"
        assert "hanako_22" in event.quoted
        assert "friend@c.example" in event.quoted
        assert event.files[1].name == "café.eml"
        assert b"hanako_22" in event.files[1].content
    assert [file.name for file in plain.files[2:]] == ["list.csv"]


def test_text_parts_that_are_not_shown_are_files() -> None:
    event = read(
        b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n\r\nhello\r\n'
        b"--x\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n"
        b'--x\r\nContent-Type: text/plain; name="notes.txt"\r\nContent-Disposition: inline\r\n\r\n'
        b"in the mail too\r\n--x--\r\n"
    )

    assert [(file.name, file.content_type) for file in event.files[1:]] == [
        ("file-1", "text/calendar"),
        ("notes.txt", "text/plain"),
    ]
    assert event.text == "hello\nin the mail too"


def test_mails_that_differ_only_in_an_attached_mail_are_two_events() -> None:
    head = b"From: a@b.example\r\nMessage-ID: <1@b>\r\nContent-Type: message/rfc822\r\n\r\n"

    assert read(head + b"Subject: x\r\n\r\none").event_id != read(head + b"Subject: x\r\n\r\ntwo").event_id
