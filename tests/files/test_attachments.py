"""Attachments: validation, recording, inspection of their content, and erasure."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import FileIn, InboundMessage
from crm_contact_guard.delivery import attempts, outbox
from crm_contact_guard.detection.files import documents
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.files import storage, uploads
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.policy.decision import Action
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.models import Alert, Finding
from tests import factories
from tests.file_samples import PNG, pdf, qr_png

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk() -> Conversation:
    return factories.conversation(factories.employee("aoi"))


def read(name: str, content: bytes, alias: str = "chat") -> list[FileIn]:
    return uploads.read([SimpleUploadedFile(name, content, "image/png")], registry.channel(alias))


def send(talk: Conversation, *attachments: FileIn, text: str = "Here it is.") -> gateway.Sent:
    assert talk.employee is not None
    return gateway.send(
        actor=talk.employee, conversation=talk, text=text, attachments=attachments, occurred_at=factories.office_time()
    )


def comes(talk: Conversation, *attachments: FileIn) -> Message:
    return factories.received("", talk, files=attachments)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("room.png", PNG, "image/png"),
        ("photo.JPG", b"\xff\xd8\xff\xe0" + b"\0" * 20, "image/jpeg"),
        ("offer.pdf", b"%PDF-1.7\n...", "application/pdf"),
        ("メモ.txt", "お部屋のご案内".encode(), "text/plain"),
        ("メモ.txt", "お部屋のご案内".encode("cp932"), "text/plain"),
        ("clip.mp4", b"\0\0\0\x18ftypisom" + b"\0" * 20, "video/mp4"),
    ],
)
def test_a_files_type_is_detected_from_its_content(name: str, content: bytes, found: str) -> None:
    (file,) = read(name, content)

    assert (file.name, file.content_type) == (name, found)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("room.png", b"", "is empty"),
        ("setup.exe", b"MZ\x90\0", "file type that can't"),
        ("photo.png", b"MZ\x90\0", "file type that can't"),
        ("page.html", b"  <!DOCTYPE html><script>alert(1)</script>", "file type that can't"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "file type that can't"),
        ("page.txt", b"\xef\xbb\xbf<html>", "file type that can't"),
        ("bundle.zip", b"PK\x03\x04" + b"\0" * 40, "file type that can't"),
        ("run.sh", b"#!/bin/sh\nrm -rf /", "file type that can't"),
        ("invoice.pdf.exe", b"%PDF-1.7", "end in .pdf"),
        ("noise.bin", bytes(range(256)), "file type that can't"),
    ],
)
def test_a_file_of_a_wrong_or_forbidden_type_is_refused(name: str, content: bytes, words: str) -> None:
    with pytest.raises(InvalidMessage, match=words) as caught:
        read(name, content)
    assert caught.value.field == "files"
    assert name in str(caught.value)


def test_size_and_number_are_limited(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_FILE_BYTES": 30}
    with pytest.raises(InvalidMessage, match=r"room\.png is too large"):
        read("room.png", PNG)
    with pytest.raises(InvalidMessage, match="At most 5"):
        uploads.read([SimpleUploadedFile(f"{n}.txt", b"x") for n in range(6)], registry.channel("chat"))


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\secret\\a.txt", "a.txt"),
        ("a\r\nSet-Cookie: x.txt", "a  Set-Cookie: x.txt"),
        ("invoice\u202efdp.txt", "invoicefdp.txt"),
        ("", "file"),
        ("x" * 400 + ".txt", "x" * 196 + ".txt"),
    ],
)
def test_names_are_cleaned(name: str, cleaned: str) -> None:
    assert uploads.clean_name(name) == cleaned


def test_a_sent_file_is_recorded_with_its_digest_and_opened_lazily(talk: Conversation) -> None:
    sent = send(talk, *read("room.png", PNG), text="")
    assert sent.message is not None

    (listed,) = json.loads(Message.objects.get(pk=sent.message.pk).files or "")
    assert (listed["name"], listed["type"], listed["size"]) == ("room.png", "image/png", len(PNG))
    assert listed["sha256"] == hashlib.sha256(PNG).hexdigest()
    claim = outbox.claim(sent.message.pk, idempotent=True)
    assert claim is not None
    (file,) = attempts.outbound(claim).files
    assert (file.name, file.content_type, file.size, file.read()) == ("room.png", "image/png", len(PNG), PNG)
    assert file.url not in repr(file)


def test_a_carriers_link_gives_access_to_one_file_only(talk: Conversation, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    send(talk, *read("room.png", PNG))
    row = Attachment.objects.get()
    link = storage.carrier_link(row)

    answer = Client().get(link)
    assert b"".join(answer.streaming_content) == PNG  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "image/png"
    assert Client().get(link[:-3] + "abc/").status_code == 404
    assert Client().post(link).status_code == 405
    erase_messages(Message.objects.all(), basis="request")
    assert Client().get(link).status_code == 404


def test_the_same_key_with_another_file_is_another_message(talk: Conversation) -> None:
    assert talk.employee is not None
    arguments = {"actor": talk.employee, "conversation": talk, "text": "Here", "idempotency_key": "k"}
    gateway.send(attachments=read("room.png", PNG), **arguments)

    assert gateway.send(attachments=read("room.png", PNG), **arguments).repeated
    with pytest.raises(InvalidMessage, match="Idempotency-Key"):
        gateway.send(attachments=read("room.png", PNG + b"x"), **arguments)
    assert Attachment.objects.count() == 1


def test_erasing_a_message_deletes_its_files(talk: Conversation) -> None:
    send(talk, *read("room.png", PNG))
    stored = Attachment.objects.get().stored_as
    assert storage.backend().exists(stored)

    erase_messages(Message.objects.all(), basis="request")

    assert not storage.backend().exists(stored)
    row = Attachment.objects.get()
    assert (row.stored_as, row.name) == ("", "")


CONTACT = "My LINE id is hanako_22, add me"


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("note.txt", CONTACT.encode(), "file-0"),
        ("note.txt", "LINE交換しませんか？ID: hanako_22".encode("cp932"), "file-0"),
        ("letter.pdf", pdf(CONTACT), "file-0"),
        ("letter.pdf", pdf("See here", "https://line.me/ti/p/abcDEF123"), "file-0"),
        ("code.png", qr_png("https://line.me/ti/p/abcDEF123"), "file-0"),
        ("My LINE id is hanako_22, add me.png", qr_png("Room 512"), "name-0"),
    ],
)
@pytest.mark.parametrize("outbound", [True, False])
def test_a_contact_in_a_file_is_found(
    talk: Conversation, name: str, content: bytes, place: str, outbound: bool
) -> None:
    found = read(name, content)
    if outbound:
        sent = send(talk, *found)
        assert sent.decision.action is Action.NUDGE
        assert [content.place for content in sent.files] == [place]
        assert not Attachment.objects.exists()
        return
    inspection.inspect(comes(talk, *found))

    assert {finding.place for finding in Finding.objects.all()} == {place}
    assert Alert.objects.get().topic == "off_channel"
    inspection.inspect(Message.objects.get())
    assert Alert.objects.count() == 1


def test_harmless_files_raise_no_alert(talk: Conversation) -> None:
    plain = [*read("menu.pdf", pdf("Breakfast is served from 7 to 10")), *read("map.png", qr_png("Room 512"))]

    assert send(talk, *plain).decision.action is Action.DELIVER
    inspection.inspect(Message.objects.get())
    assert not Alert.objects.exists()


def test_an_unreadable_file_is_reported_only_if_outbound(talk: Conversation) -> None:
    damaged = FileIn(name="a.pdf", content_type="application/pdf", content=b"%PDF-1.4 nothing more")
    inspection.inspect(comes(talk, damaged))
    assert not Alert.objects.exists()

    sent = send(talk, damaged)
    assert sent.message is not None
    inspection.inspect(sent.message)
    alert = Alert.objects.get()
    assert (alert.topic, alert.severity) == ("scan_failure", 1)


def test_reading_a_malicious_pdf_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its page tree contains itself. Only the process that reads it is killed, not the worker."""
    endless = pdf("x").replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]")
    monkeypatch.setattr(documents, "MAX_SECONDS", 5)
    with suppress(documents.UnreadableDocumentError):
        assert documents.read_apart(endless) == ""


def test_a_server_that_embeds_python_finds_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/bin/uwsgi")

    assert "Breakfast" in documents.read_apart(pdf("Breakfast is served from 7 to 10"))


def test_files_at_the_carrier_are_fetched_later_and_erased_with_the_message(
    talk: Conversation, settings: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    from tests.channels.pager_server import PagerServer

    with PagerServer().running() as server:
        pager = {"BACKEND": "tests.signed_channel.SignedChannel", "OPTIONS": {"SECRET": "s", "URL": server.url}}
        factories.add_channels(settings, {"pager": pager})
        server.media["note.txt"] = CONTACT
        channel: Any = registry.channel("pager")
        event = {"id": "m1", "type": "message", "from": "+819012345678", "text": "", "media": ["note.txt", "gone.txt"],
                 "at": "2026-11-24T10:00:00+09:00"}  # fmt: skip
        with django_capture_on_commit_callbacks(execute=True):
            gateway.receive(channel._event(event))

    first = Message.objects.get(reply_to=None)
    assert [one["name"] for one in json.loads(first.details or "")["media"]] == ["note.txt", "gone.txt"]
    later = Message.objects.get(reply_to=first)
    assert Attachment.objects.get().message == later
    assert {finding.place for finding in Finding.objects.filter(message=later)} == {"file-0"}
    assert first.events.filter(kind="media.lost").count() == 1
    assert not first.media.exists()

    erase_messages(Message.objects.filter(pk=first.pk), basis="request")
    later.refresh_from_db()
    assert later.salt is None
    assert Attachment.objects.get().stored_as == ""


@pytest.mark.parametrize(
    ("declared", "served"),
    [
        ("image/png", "image/png"),
        ("text/plain", "text/plain; charset=utf-8"),
        ('image/png"><script>alert(1)</script>', "application/octet-stream"),
        ("image/png; charset=utf-7", "application/octet-stream"),
        ("image/png\r\nSet-Cookie: a=b", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("text/html", "application/octet-stream"),
        ("video/x-anything", "application/octet-stream"),
        ("IMAGE/PNG", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_a_customers_file_is_served_only_as_a_type_we_know(talk: Conversation, declared: str, served: str) -> None:
    """The type in a webhook is the sender's word."""
    given = FileIn(name="a\r\nSet-Cookie: a=b.png", content_type=declared, content=PNG)
    gateway.receive(
        InboundMessage(
            channel="email",
            event_id="1",
            from_address="hanako@example.com",
            text="",
            occurred_at=timezone.now(),
            files=(given,),
        )
    )

    answer = Client().get(storage.carrier_link(Attachment.objects.get()))

    assert b"".join(answer.streaming_content) == PNG  # type: ignore[attr-defined]
    assert answer["Content-Type"] == served
    assert "Set-Cookie" not in answer
    assert Attachment.objects.get().name == "a  Set-Cookie: a=b.png"
