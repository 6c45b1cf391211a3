"""No delimiter, frame or part of a mail keeps an attempt from being inspected."""

from __future__ import annotations

import pytest

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.channels.email.inbound import read_mail
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.inspection import inspect
from tests import factories
from tests.channels.reply_formats import ATTRIBUTIONS, HEADERS

pytestmark = pytest.mark.django_db
ATTEMPT = "Please add me on LINE: hanako_22 so that we can meet without the hotel."
ATTEMPT_JA = "ホテルには内緒で、LINEで連絡してください。IDは hanako_22 です。"
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
    "──────────",
    "Best regards,",
    "敬具",
    "-Hanako",
    "このメッセージは返信元メッセージです：",
    "**********転送**********",
    "вт, 24 нояб. 2026 г. в 10:00, Hotel <a@b.example>:",
    "在 2026年11月24日，上午10:00，Hotel <a@b.example> 写道：",
    "2026년 11월 24일 (화) 오전 10:00, Hotel <a@b.example>님이 작성:",
    "Op di 24 nov. 2026 om 10:00 schreef Hotel <a@b.example>:",
    "Envoyé de mon iPhone",
    "_______________________________________________\nguests mailing list",
)
#: Ways in which HTML hides a text from the reader, or from whoever reads the plain part alone.
HTML = {
    "plain": "<p>{}</p>",
    "invisible": '<div style="display:none">{}</div>',
    "white": '<p><span style="color:#ffffff;background:white">{}</span></p>',
    "tiny": '<font size="1" style="font-size:1px">{}</font>',
    "blockquote": "<blockquote type='cite'>{}</blockquote>",
    "gmail quote": '<div class="gmail_quote">On Tue, 24 Nov 2026 Hotel wrote:<br><blockquote>{}</blockquote></div>',
    "outlook": "<div style='border-top:solid'><b>From:</b> Hotel<br><b>Sent:</b> 24 Nov 2026</div><p>{}</p>",
    "signature": '<div class="gmail_signature">-- <br>{}</div>',
    "table": "<table><tr><td>{}</td></tr></table>",
}


#: What was said before: as new words of a customer, the second line would be an attempt.
ASKED = "Please text me privately, my own number is 090-1122-3344, the hotel need not know."
SAID = ("The room is free from three o'clock on Friday afternoon.", ASKED, "We look forward to welcoming you.")


def known_talk() -> Conversation:
    """A conversation with the guest in which all of ``SAID`` was said."""
    talk = factories.conversation(factories.employee("aoi"), channel="email", email="guest@b.example")
    factories.recorded(talk, "\n".join(SAID), direction="outbound", channel="email", subject="RE: room")
    return talk


def received(body: str, headers: str = "") -> bool:
    """Whether the first mail of a conversation with this body raises an alert."""
    factories.conversation(factories.employee("aoi"))
    return bool(inspect(accepted(body, headers)))


def accepted(body: str, headers: str = "") -> Message:
    raw = f"From: guest@b.example\nMessage-ID: <1@b>\n{headers}\n{body}".encode()
    (message,) = read_mail(raw, alias="email", envelope_from="guest@b.example", envelope_to=("hotel@kaede.example",))
    assert isinstance(message, InboundMessage)
    received = gateway.receive(message).message
    assert received is not None
    return received


@pytest.mark.parametrize("attempt", [ATTEMPT, ATTEMPT_JA], ids=["en", "ja"])
@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_an_attempt_below_a_delimiter_is_found(delimiter: str, attempt: str) -> None:
    assert received(f"Thank you, see you on Friday.\n\n{delimiter}\n{attempt}\n")


@pytest.mark.parametrize("name", [*ATTRIBUTIONS, *HEADERS])
def test_an_attempt_among_true_quotes_is_found(name: str) -> None:
    frame = (ATTRIBUTIONS | HEADERS)[name]
    talk = known_talk()

    message = accepted(f"Thank you.\n\n{frame}\n\n{SAID[0]}\n{ATTEMPT}\n{SAID[1]}\n")

    assert message.conversation == talk
    assert inspect(message)


@pytest.mark.parametrize("name", [*ATTRIBUTIONS, *HEADERS])
@pytest.mark.parametrize("mark", ["", "> "])
def test_a_true_quote_is_nobodys_attempt(name: str, mark: str) -> None:
    frame = (ATTRIBUTIONS | HEADERS)[name]
    known_talk()
    quoted = "\n".join(f"{mark}{line}" for line in [*SAID, ""])

    message = accepted(f"Thank you.\n\n{frame}\n\n{quoted}")

    assert ASKED not in (message.text or "")
    assert inspect(message) == []


@pytest.mark.parametrize(
    "signature",
    [
        "-- \n株式会社山田商店\n山田花子\nTEL 03-0000-1234 / 携帯 080-0000-1234(社用)\nyamada@yamada.example",
        (
            "===================\n株式会社山田商店 営業部\n山田花子\n〒000-0000 大阪市北区0-0\nTEL：06-0000-1234\n"
            "==================="
        ),
        ("Best regards,\nJohn Smith\nSales Manager\nSmith Trading Ltd\nT: +44 20 7946 0000\njohn.smith@smith.example"),
        "Sent from my iPhone",
    ],
)
def test_an_ordinary_signature_is_no_attempt(signature: str) -> None:
    assert not received(f"Thank you, we arrive on Friday at eight.\n\n{signature}\n")


@pytest.mark.parametrize("mark", ["> ", "＞", ">> ", "| "])
def test_an_attempt_behind_a_quote_mark_is_found(mark: str) -> None:
    assert received(f"Thank you.\n\n{mark}Hello\n{mark}{ATTEMPT}\n")


@pytest.mark.parametrize("attempt", [ATTEMPT, ATTEMPT_JA], ids=["en", "ja"])
@pytest.mark.parametrize("html", HTML)
def test_an_attempt_in_html_is_found(html: str, attempt: str) -> None:
    kind = "Content-Type: text/html; charset=utf-8\n"

    assert received(f"<p>Thank you.</p>{HTML[html].format(attempt)}", kind)


@pytest.mark.parametrize("html", HTML)
def test_an_attempt_that_html_adds_to_a_long_plain_part_is_found(html: str) -> None:
    plain = "Thank you for the kind letter. " * 30
    body = (
        f"--x\nContent-Type: text/plain\n\n{plain}\n-- \nHanako\n"
        f"--x\nContent-Type: text/html\n\n<p>{plain}</p><p>-- <br>Hanako</p>{HTML[html].format(ATTEMPT)}\n--x--\n"
    )

    assert received(body, 'Content-Type: multipart/alternative; boundary="x"\n')


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
