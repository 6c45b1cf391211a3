"""Files on the pages: chosen in the composer and the chat, handed out to whom they belong, never run by a browser."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.record.models import Event, Message
from tests.console.conftest import Hotel, says, url
from tests.file_samples import PNG, read_to_end


def status(response: HttpResponse) -> int:
    """The status of an answer whose file nobody looks at."""
    read_to_end(response)
    return response.status_code


def upload(name: str = "room.png", content: bytes = PNG) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/x-whatever")


@pytest.fixture
def mail(hotel: Hotel) -> dict[str, Attachment]:
    says(
        hotel.talk,
        "See the files",
        files=(
            FileIn(name="original.eml", content_type="message/rfc822", content=b"From: h@gmail.com", kind="original"),
            FileIn(name="page<b>.html", content_type="text/html", content=b"<script>alert(1)</script>"),
        ),
    )
    return {row.kind: row for row in Attachment.objects.all()}


@pytest.mark.parametrize(
    ("who", "attachment", "original"),
    [
        ("nobody", 302, 302), ("visitor", 403, 403), ("aoi", 200, 403), ("ken", 404, 404), ("ren", 404, 404),
        ("chief", 200, 403), ("vice", 200, 403), ("boss", 404, 404), ("compliance", 200, 200), ("auditor", 200, 403),
    ],
)  # fmt: skip
def test_who_gets_which_file(
    hotel: Hotel, mail: dict[str, Attachment], who: str, attachment: int, original: int
) -> None:
    asked = {"attachment": "", "original": "?unmask_reason=Asked"}
    found = {kind: status(hotel.get(who, "message_file", row.pk, query=asked[kind])) for kind, row in mail.items()}

    assert found == {"attachment": attachment, "original": original}


def test_no_browser_runs_what_a_customer_sent(hotel: Hotel, mail: dict[str, Attachment]) -> None:
    response = hotel.get("aoi", "message_file", mail["attachment"].pk)

    assert read_to_end(response) == b"<script>alert(1)</script>"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]


def test_reading_a_file_from_outside_is_a_view_and_the_original_an_unmasking(
    hotel: Hotel, mail: dict[str, Attachment]
) -> None:
    status(hotel.get("aoi", "message_file", mail["attachment"].pk))
    assert not Event.objects.filter(kind__startswith="view.").exists()

    status(hotel.get("chief", "message_file", mail["attachment"].pk))
    assert status(hotel.get("compliance", "message_file", mail["original"].pk)) == 422
    status(hotel.get("compliance", "message_file", mail["original"].pk, query="?unmask_reason=Asked"))

    assert Event.objects.filter(kind="view.content", actor=str(hotel.people["chief"].pk)).count() == 1
    assert Event.objects.filter(kind="view.unmasked", actor=str(hotel.people["compliance"].pk)).count() == 1


def test_the_page_links_what_is_kept(hotel: Hotel, mail: dict[str, Attachment]) -> None:
    page = hotel.get("aoi", "conversation", hotel.talk.pk).content.decode()

    assert url("message_file", mail["attachment"].pk) in page
    assert url("message_file", mail["original"].pk) not in page
    assert "page&lt;b&gt;.html" in page


def test_an_employee_sends_a_file_with_or_without_words(hotel: Hotel) -> None:
    assert hotel.send("aoi", "Here is your room", files=upload()).status_code == 302
    assert hotel.send("aoi", "", files=[upload("a.png"), upload("b.png")]).status_code == 302

    assert Message.objects.filter(direction="outbound").count() == 2
    assert sorted(Attachment.objects.values_list("name", flat=True)) == ["a.png", "b.png", "room.png"]
    assert '<img class="cg-picture"' in hotel.get("aoi", "inbox_conversation", hotel.talk.pk).content.decode()


def test_a_file_that_may_not_go_keeps_the_text_and_says_why(hotel: Hotel) -> None:
    response = hotel.send("aoi", "Here is your room", files=upload("run.exe", b"MZ"))

    page = response.content.decode()
    assert response.status_code == 422
    assert "run.exe has a file type that can&#x27;t be sent here." in page
    assert "Please choose the files again." in page
    assert "Here is your room</textarea>" in page
    assert not Attachment.objects.exists()


def test_a_file_with_a_private_contact_is_asked_about_before_it_goes(hotel: Hotel) -> None:
    response = hotel.send("aoi", "See the note", files=upload("note.txt", b"My LINE id is hanako_22, add me"))

    assert response.status_code == 422
    assert "note.txt: " in response.content.decode()
    assert not Message.objects.exists()


@pytest.fixture
def phone(hotel: Hotel) -> Client:
    """The customer's browser after opening the link."""
    _link, token = chat_link_create(conversation=hotel.talk, created_by=hotel.people["aoi"])
    browser = Client(headers={"accept-language": "en"})
    browser.get(url("chat_enter", token))
    return browser


def write(phone: Client, text: str, **more: Any) -> HttpResponse:
    page = phone.get(url("chat_page"))
    data = {"text": text, "key": uuid4().hex, "form_token": page.context["page"].composer.form_token, **more}
    return phone.post(url("chat_page"), data)


def test_a_customer_sends_files_and_gets_those_of_the_chat_alone(
    hotel: Hotel, phone: Client, mail: dict[str, Attachment], django_capture_on_commit_callbacks: Any
) -> None:
    assert write(phone, "", files=upload("passport.png")).status_code == 302
    own = Attachment.objects.get(name="passport.png")
    with django_capture_on_commit_callbacks(execute=True):
        hotel.send("aoi", "Your room", files=upload("room.png"))
    sent = Attachment.objects.get(name="room.png")
    says(hotel.other, "not mine", files=(FileIn(name="x.png", content_type="image/png", content=PNG),))
    strange = Attachment.objects.get(name="x.png")

    page = phone.get(url("chat_page")).content.decode()

    assert url("chat_file", own.pk) in page
    assert url("chat_file", sent.pk) in page
    for row, expected in ((own, 200), (sent, 200), (strange, 404), (mail["original"], 404)):
        assert status(phone.get(url("chat_file", row.pk))) == expected
        assert Client().get(url("chat_file", row.pk)).status_code == 404
    assert status(hotel.get("aoi", "message_file", own.pk)) == 200


def test_a_customer_is_told_what_may_not_be_sent(phone: Client) -> None:
    response = write(phone, "Look", files=upload("a.html", b"<html>"))

    assert response.status_code == 422
    assert "a.html has a file type that can&#x27;t be sent here." in response.content.decode()
    assert not Message.objects.exists()
