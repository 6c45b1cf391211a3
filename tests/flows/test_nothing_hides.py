"""No delimiter, frame or part of a mail keeps an attempt from being inspected."""

from __future__ import annotations

import pytest

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.channels.email.inbound import read_mail
from crm_contact_guard.supervision.inspection import inspect
from tests import factories

pytestmark = pytest.mark.django_db
ATTEMPT = "Please add me on LINE: hanako_22 so that we can meet without the hotel."
DELIMITERS = (
    # The twelve of the measurement of November 2026 …
    "--",
    "-- ",
    "—",
    "―",
    "__",
    "大阪から送信",
    "Sent from my heart",
    "From: x\nTo: y",
    "Sent from my iPhone",
    "iPhoneから送信",
    "-----Original Message-----",
    "On Tue, 24 Nov 2026 at 10:00, Hotel <a@b.example> wrote:",
    # … and others.
    "---------- Forwarded message ---------",
    "差出人： 楓 <a@b.example>\n送信日時： 2026年11月24日 10:00\n宛先： 私\n件名： RE",
    "From: Hotel <a@b.example>\nSent: 24 November 2026 10:00\nTo: me\nSubject: RE: room",
    "Von: Hotel <a@b.example>\nGesendet: 24.11.2026 10:00\nAn: mich\nBetreff: AW: Zimmer",
    "2026/11/24 10:00、楓 <a@b.example>のメール：",
    "2026年11月24日(火) 10:00 楓 <a@b.example>:",
    "=====================",
    "＝＝＝＝＝＝＝＝",
    "********",
    "________________________________",
    "Outlook for iOS を入手",
    "Get Outlook for Android",
    "Begin forwarded message:",
    "Am 24.11.2026 um 10:00 schrieb Hotel:",
    "Le mar. 24 nov. 2026 à 10:00, Hotel <a@b.example> a écrit :",
    "---------- 転送メッセージ ----------",
    "引用元メッセージ",
    "This e-mail is confidential and intended solely for the addressee.",
    "株式会社楓\n山田花子\nTEL 03-0000-0000",
    "-- \nKaede Trading Ltd\nT: 020 7946 0000\nF: 020 7946 0001",
    "[12/03/2026, 10:32:11] Hotel Desk: Your room is ready",
    "スタッフ：お部屋のご用意ができました",
    "## Please type your reply above this line ##",
)


def received(body: str, headers: str = "") -> bool:
    """Whether a mail with this body raises an alert."""
    factories.conversation(factories.employee("aoi"))
    raw = f"From: guest@b.example\nMessage-ID: <1@b>\n{headers}\n{body}".encode()
    (message,) = read_mail(raw, alias="email", envelope_from="guest@b.example", envelope_to=("hotel@kaede.example",))
    assert isinstance(message, InboundMessage)
    return bool(inspect(gateway.receive(message).message))


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_an_attempt_below_a_delimiter_is_found(delimiter: str) -> None:
    assert received(f"Thank you, see you on Friday.\n\n{delimiter}\n{ATTEMPT}\n")


@pytest.mark.parametrize("mark", ["> ", "＞", ">> ", "| "])
def test_an_attempt_behind_a_quote_mark_is_found(mark: str) -> None:
    assert received(f"Thank you.\n\n{mark}Hello\n{mark}{ATTEMPT}\n")


@pytest.mark.parametrize("end", ["", "-- ", "Sent from my iPhone", "-----Original Message-----"])
def test_an_attempt_that_only_the_html_shows_is_found(end: str) -> None:
    body = (
        f"--x\nContent-Type: text/plain\n\n{'Thank you for the kind letter. ' * 30}\n{end}\n"
        f"--x\nContent-Type: text/html\n\n<p>{ATTEMPT}</p>\n--x--\n"
    )

    assert received(body, 'Content-Type: multipart/alternative; boundary="x"\n')


def test_an_employee_hides_nothing_in_a_quote_and_answers_for_no_true_one() -> None:
    clerk = factories.employee("aoi")
    talk = factories.conversation(clerk)
    asked = "Please text me privately, my own number is 090-1122-3344, the hotel need not know."
    factories.recorded(talk, asked, channel="email")

    true = gateway.send(actor=clerk, conversation=talk, text=f"Please call the hotel.\n\n> {asked}\n")
    false = gateway.send(actor=clerk, conversation=talk, text=f"Please call the hotel.\n\n> {ATTEMPT}\n")

    assert not true.scan.attempt
    assert false.scan.attempt
