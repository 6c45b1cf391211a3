"""Parsing of received mail: tokens, threads, new and quoted text, and malformed mail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.channels.email.html_text import html_text
from crm_contact_guard.channels.email.inbound import read_mail
from crm_contact_guard.channels.email.quoting import split

TOKEN = "abcdefghjkmnpqrstuvw"
REPLY = f"reply+{TOKEN}@kaede.example"


def read(raw: str | bytes, to: str = REPLY) -> InboundMessage:
    data = raw if isinstance(raw, bytes) else raw.replace("\n", "\r\n").encode()
    (event,) = read_mail(data, alias="email", envelope_from="hanako@gmail.com", envelope_to=[to])
    assert isinstance(event, InboundMessage)
    return event


def test_token_thread_and_new_text_are_parsed() -> None:
    event = read(
        f"From: Hanako Sato <hanako@gmail.com>\nTo: {REPLY}\nSubject: Re: Your stay\nMessage-ID: <m2@gmail.com>\n"
        "In-Reply-To: <m1@kaede.example>\nReferences: <m0@kaede.example> <m1@kaede.example>\n\n"
        "LINE交換しませんか?\n\n2026年11月24日(火) 10:00 ホテル楓 <reply@kaede.example>:\n\n"
        "> お世話になっております。\n"
    )

    assert event.reply_tokens == (TOKEN,)
    assert event.references == ("<m0@kaede.example>", "<m1@kaede.example>")
    assert event.text == "LINE交換しませんか?"
    assert "お世話になっております" in event.quoted
    assert (event.from_name, event.from_address, event.carrier_id) == (
        "Hanako Sato",
        "hanako@gmail.com",
        "<m2@gmail.com>",
    )
    assert event.files[0].kind == "original"


def test_the_token_is_found_in_the_envelope_when_headers_lost_it() -> None:
    assert read("From: a@b.example\nTo: somebody@else.example\n\nhi").reply_tokens == (TOKEN,)
    assert read("From: a@b.example\nTo: x@y.example\n\nhi", to="reply@kaede.example").reply_tokens == ()


@pytest.mark.parametrize(
    ("charset", "text"),
    [("iso-2022-jp", "連絡先を教えてください"), ("shift_jis", "ホテルの外で"), ("euc-jp", "夜に"), ("utf-8", "é 🙂")],
)
def test_charsets(charset: str, text: str) -> None:
    head = f"From: a@b.example\nContent-Type: text/plain; charset={charset}\n\n".replace("\n", "\r\n").encode()

    assert read(head + text.encode(charset)).text == text


MALFORMED = {
    "no header at all": b"just text",
    "empty": b"",
    "unknown charset": b"From: a@b\r\nContent-Type: text/plain; charset=klingon\r\n\r\nhello there",
    "broken base64": b"From: a@b\r\nContent-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\n%%%aGVsbG8",
    "unclosed boundary": b'From: a@b\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n\r\nhello',
    "boundary missing": b"From: a@b\r\nContent-Type: multipart/mixed\r\n\r\nhello",
    "header injection": b"From: a@b\r\nSubject: x\r\n y: z\r\n\r\nhello",
    "bad encoded word": b"From: =?utf-8?b?%%%?= <a@b>\r\nSubject: =?x?q?=ff?=\r\n\r\nhello",
    "latin bytes in header": b"From: J\xfcrgen <a@b>\r\nSubject: Gr\xfc\xdfe\r\n\r\nhello",
    "nul bytes": b"From: a@b\r\nSubject: \x00\r\n\r\nhel\x00lo",
    "bad date": b"From: a@b\r\nDate: never\r\n\r\nhello",
    "deep nesting": b"From: a@b\r\n"
    + b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (i, i) for i in range(200)),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_mail_is_parsed_as_far_as_possible_and_kept(name: str) -> None:
    event = read(MALFORMED[name])

    assert event.files[0].content == MALFORMED[name]
    assert event.occurred_at.tzinfo is not None


def test_an_implausible_date_is_replaced_by_the_time_of_receipt() -> None:
    for date in ("Fri, 01 Jan 2100 00:00:00 +0000", "Thu, 01 Jan 1970 00:00:00 +0000"):
        event = read(f"From: a@b.example\nDate: {date}\n\nhi")
        assert abs((event.occurred_at - datetime.now(UTC)).total_seconds()) < 60


def test_the_same_mail_over_two_relays_is_one_event_but_a_reused_message_id_is_not() -> None:
    first = read("Received: by a\nFrom: a@b.example\nMessage-ID: <x@b>\n\nhello")
    again = read("Received: by c\nReceived: by a\nFrom: a@b.example\nMessage-ID: <x@b>\n\nhello")
    other = read("From: a@b.example\nMessage-ID: <x@b>\n\nmy LINE is hanako_22")

    assert first.event_id == again.event_id
    assert other.event_id != first.event_id


def test_the_same_text_of_two_people_without_message_ids_is_two_events() -> None:
    first = read("From: a@b.example\n\nok")
    other = read("From: c@d.example\n\nok")

    assert first.event_id != other.event_id


def test_a_mail_recoded_by_a_relay_is_the_same_event() -> None:
    head = "From: a@b.example\r\nMessage-ID: <x@b>\r\nContent-Type: text/plain; charset=utf-8\r\n"
    eight = read(f"{head}Content-Transfer-Encoding: 8bit\r\n\r\n夜に\r\n".encode())
    base64 = read(f"{head}Content-Transfer-Encoding: base64\r\n\r\n5aSc44GrDQo=\r\n".encode())

    assert eight.event_id == base64.event_id


def test_text_that_only_the_html_contains_is_included() -> None:
    event = read(
        'From: a@b.example\nContent-Type: multipart/alternative; boundary="x"\n\n'
        "--x\nContent-Type: text/plain\n\nThanks!\n"
        "--x\nContent-Type: text/html\n\n<p>Add me on <a href='https://line.me/ti/p/~hanako_22'>LINE</a></p>\n--x--\n"
    )

    assert "Thanks!" in event.text
    assert "https://line.me/ti/p/~hanako_22" in event.text


@pytest.mark.parametrize("end", ["-- ", "Sent from my iPhone", "-----Original Message-----", "> quoted"])
def test_delimiters_of_the_plain_part_do_not_hide_the_html(end: str) -> None:
    event = read(
        'From: a@b.example\nContent-Type: multipart/alternative; boundary="x"\n\n'
        f"--x\nContent-Type: text/plain\n\n{'Thanks for the long and kind letter. ' * 20}\n{end}\n"
        "--x\nContent-Type: text/html\n\n<p>LINE: hanako_22</p>\n--x--\n"
    )

    assert "hanako_22" in event.text


def test_html_with_the_same_text_is_not_repeated() -> None:
    event = read(
        'From: a@b.example\nContent-Type: multipart/alternative; boundary="x"\n\n'
        "--x\nContent-Type: text/plain\n\nThanks, see https://kaede.example/rooms\n\n> At eight?\n"
        "--x\nContent-Type: text/html\n\n<p>Thanks, see <a href='https://kaede.example/rooms'>https://kaede.example/rooms</a></p>"
        "<blockquote>At eight?</blockquote>\n--x--\n"
    )

    assert event.text == "Thanks, see https://kaede.example/rooms"


def test_attachments_lose_their_paths() -> None:
    event = read(
        'From: a@b.example\nContent-Type: multipart/mixed; boundary="x"\n\n--x\n\nsee file\n--x\n'
        'Content-Type: image/png\nContent-Disposition: attachment; filename="../../etc/pass\\wd.png"\n\nPNG\n--x--\n'
    )

    assert [file.name for file in event.files] == ["original.eml", "passwd.png"]


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Sure.\n\nOn Tue, 24 Nov 2026 at 10:00, Hotel <a@b> wrote:\n> Hello", "Sure."),
        ("Sure.\n\nOn Tue, 24 Nov 2026 at 10:00,\nHotel Kaede <a@b> wrote:\n\n> Hello", "Sure."),
        ("Yes.\n-----Original Message-----\nFrom: x\nSent: y\n\nHello", "Yes."),
        ("はい\n\n差出人: 楓 <a@b>\n送信日時: 2026年11月24日\n件名: RE\n\nお世話に", "はい"),
        ("はい。\n\n-- \n株式会社山田商店\n山田花子\n090-1234-5678", "はい。"),
        ("はい。\n\n-- \n個人の携帯は090-1234-5678です", "はい。\n\n-- \n個人の携帯は090-1234-5678です"),
        ("はい\n\n差出人： 楓 <a@b>\n送信日時： 2026年11月24日\n宛先： 私\n件名： RE\n\nお世話に", "はい"),
        ("はい\n\n2026/04/02 10:15、楓 <a@b.example>のメール：\n\n> お世話に", "はい"),
        ("Ja.\n\nVon: Hotel <a@b>\nGesendet: 24.11.2026 10:00\nAn: mich\nBetreff: Zimmer\n\nHallo", "Ja."),
        ("iPhoneから送信\n\n2026/04/02 10:15、楓 <a@b.example>のメール:\n> 何時?\n\n八時です", "八時です"),
        ("Sure.\n\nSent from my heart\nSee you", "Sure.\n\nSent from my heart\nSee you"),
        ("From: me\nTo: you\nsee you", "From: me\nTo: you\nsee you"),
        ("> When do you arrive?\nAt eight.\n> Breakfast?\nYes please.", "At eight.\nYes please."),
        ("On Monday I wrote: please call.\nThanks", "On Monday I wrote: please call.\nThanks"),
        ("From: the airport\nwe need a car", "From: the airport\nwe need a car"),
    ],
)
def test_new_text_is_separated_from_quotes(text: str, new: str) -> None:
    parts = split(text)

    assert parts.new == new
    assert set("".join(parts.new.split())) | set("".join(parts.quoted.split())) == set("".join(text.split()))


@pytest.mark.parametrize(
    "hostile", ["\n" * 200_000, "On " * 70_000, "> " * 100_000, "From: x\n" * 30_000, "-" * 200_000]
)
def test_splitting_is_linear(hostile: str) -> None:
    parts = split(hostile)

    assert len(parts.new) + len(parts.quoted) <= len(hostile)


def test_html_never_raises_and_drops_scripts() -> None:
    assert html_text("<style>a{}</style><p>Hi <b>you</b><script>x</script><br>there</p></div></a><<").startswith(
        "Hi you\nthere"
    )
