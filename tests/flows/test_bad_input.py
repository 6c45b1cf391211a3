"""What comes in broken gets a clear answer, and nothing of it is lost."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.record.models import Event, Message
from tests import factories
from tests.flows.conftest import Post, clerk, url

STRANGER = "someone@mail.example"


def mail(body: str, *, to: str, sender: str = STRANGER) -> bytes:
    head = f"From: {sender}\r\nTo: {to}\r\nSubject: Question\r\nMessage-ID: <q1@mail.example>\r\n"
    return f"{head}\r\n{body}\r\n".encode()


def test_an_unknown_reply_token_reaches_the_house_all_the_same(post: Post) -> None:
    to = "reply+abcdefghijkmnpqrstuv@kaede.example"

    assert post.deliver(mail("Is the pool open?", to=to), sender=STRANGER, to=to)[0] == 250

    message = Message.objects.get()
    assert (message.text, message.from_address) == ("Is the pool open?", STRANGER)
    assert message.conversation.employee is None, "nobody's conversation is guessed"


def test_an_unknown_token_of_a_known_guest_joins_the_guests_talk(post: Post) -> None:
    conversation = factories.conversation(clerk("en"), channel="email", email=STRANGER)
    to = "reply+abcdefghijkmnpqrstuv@kaede.example"

    assert post.deliver(mail("Is the pool open?", to=to), sender=STRANGER, to=to)[0] == 250
    assert Message.objects.get().conversation == conversation


def test_somebody_elses_address_is_refused(post: Post) -> None:
    code, words = post.deliver(mail("Hi", to="x@elsewhere.example"), sender=STRANGER, to="x@elsewhere.example")

    assert (code, words) == (550, "5.1.1 No such address here")
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@mail.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nOnly half",
        b"Content-Type: text/plain; charset=no-such\r\nFrom: =?utf-8?b?4=?= <a@mail.example>\r\n\r\n\xff\xfe odd",
        b"\r\n\r\nno head at all",
        b"From: a@mail.example\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!! not base64 !!!!",
    ],
    ids=["unclosed multipart", "unknown charset", "no head", "broken base64"],
)
def test_malformed_mime_is_recorded_with_its_original(post: Post, raw: bytes) -> None:
    code, _words = post.deliver(raw, sender="a@mail.example", to="guests@kaede.example")

    assert code == 250
    message = Message.objects.get()
    original = Attachment.objects.get(message=message, kind="original")
    assert original.size >= len(raw.rstrip())


def test_a_mail_of_30_mb_is_refused_with_its_reason_and_the_refusal_is_recorded(post: Post) -> None:
    to = "reply@kaede.example"
    big = mail("x" * 76 + "\r\n" + ("y" * 76 + "\r\n") * 404_000, to=to)
    assert len(big) > 30 * 1024 * 1024

    code, words = post.deliver(big, sender=STRANGER, to=to)

    assert code == 552
    assert "message size exceeds" in words
    assert not Message.objects.exists()
    event = Event.objects.get(kind="carrier.unknown")
    assert STRANGER in json.loads(event.details or "{}")["payload"]
    assert (event.reason or "").startswith("552")


def test_an_empty_chat_message_is_answered_in_words(post: Post) -> None:
    conversation = factories.conversation(clerk("en"))
    _link, token = chat_link_create(conversation=conversation, created_by=None)
    phone = Client(headers={"accept-language": "en"})
    page = phone.get(url("chat_enter", token), follow=True).content.decode()
    form = dict(re.findall(r'name="(form_token|key)" value="([^"]*)"', page))

    answer = phone.post(url("chat_page"), {**form, "text": "  \n "})

    assert "empty" in answer.content.decode()
    assert not Message.objects.exists()


def test_a_mail_without_any_text_is_a_fact_too(post: Post) -> None:
    assert post.deliver(mail("", to="guests@kaede.example"), sender=STRANGER, to="guests@kaede.example")[0] == 250
    assert Message.objects.get().text == ""
