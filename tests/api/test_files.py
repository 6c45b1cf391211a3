"""Files and text blocks over the API: sent beside the JSON, had again by their address."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from crm_contact_guard.files.models import Attachment
from crm_contact_guard.record.models import Event, Message
from tests.api.conftest import API, Hotel
from tests.file_samples import PNG, qr_png, read_to_end

TEMPLATES = {
    "arrival": {
        "LABEL": "Arrival",
        "TEXTS": {
            "en": "Dear {customer}, room {room} is ready from {time}. {employee}, {company}",
            "ja": "{customer} 様、{room} 号室は {time} からご利用いただけます。",
        },
        "CARRIERS": {"wa": {"en": "arrival_v1"}},
    }
}


@pytest.fixture
def blocks(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "TEMPLATES": TEMPLATES}


def post(hotel: Hotel, message: dict[str, Any] | str, *files: SimpleUploadedFile, **parts: Any) -> HttpResponse:
    text = message if isinstance(message, str) else json.dumps(message)
    data = {"message": text, "files": list(files), **parts}
    return hotel.client("aoi").post(f"{API}conversations/{hotel.talk.pk}/messages/", data)


def png(name: str = "room.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, PNG, "image/png")


def test_files_go_with_a_message_and_can_be_had_again(hotel: Hotel) -> None:
    response = post(hotel, {"text": "Here it is."}, png(), png("bath.png"))

    assert response.status_code == 201, response.content
    given = response.json()["message"]["files"]
    assert [file["sha256"] for file in given] == [hashlib.sha256(PNG).hexdigest()] * 2
    assert [file["name"] for file in given] == ["room.png", "bath.png"]
    again = hotel.client("aoi").get(given[0]["url"])
    assert read_to_end(again) == PNG
    # No id or digest may be taken for somebody's number, whatever its digits.
    for _ in range(20):
        [file] = post(hotel, {"text": "Another."}, png()).json()["message"]["files"]
        assert UUID(file["url"].rstrip("/").rsplit("/", 1)[1])
    assert again["Content-Disposition"] == 'attachment; filename="room.png"'


@pytest.mark.parametrize(
    ("message", "parts", "status", "code"),
    [
        ({"text": "x"}, {"files": [SimpleUploadedFile("a.exe", b"MZ")]}, 400, "invalid-message"),
        ({"text": "x"}, {"more": "y"}, 400, "invalid"),
        ("no json", {}, 400, "invalid"),
        ("[]", {}, 400, "invalid"),
        ({"text": ""}, {}, 400, "invalid-message"),
        ({}, {}, 400, "invalid"),
    ],
)
def test_what_is_wrong_with_it_is_a_problem_with_words(
    hotel: Hotel, message: dict[str, Any] | str, parts: dict[str, Any], status: int, code: str
) -> None:
    response = post(hotel, message, **parts)

    assert (response.status_code, response.json()["type"].rsplit(":", 1)[-1]) == (status, code)
    assert not Message.objects.filter(direction="outbound").exists()


def test_more_than_any_channel_takes_is_not_read(hotel: Hotel, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_FILE_BYTES": 1}

    assert post(hotel, {"text": "x"}, SimpleUploadedFile("a.txt", b"x" * 1_100_000)).status_code == 413


def test_a_contact_in_a_picture_is_kept_back_and_its_place_named(hotel: Hotel) -> None:
    code = SimpleUploadedFile("code.png", qr_png("https://line.me/ti/p/abcDEF123"))
    response = post(hotel, {"text": "Look"}, code)

    assert response.status_code == 409
    assert [found["place"] for found in response.json()["findings"]] == ["file-0"]
    assert not Attachment.objects.filter(name="code.png").exists()


def test_another_key_for_another_file(hotel: Hotel) -> None:
    address = f"{API}conversations/{hotel.talk.pk}/messages/"
    message = json.dumps({"text": "x"})
    statuses = [
        hotel.client("aoi").post(address, {"message": message, "files": file}, headers={"Idempotency-Key": "k"})
        for file in (png(), png(), png("other.png"))
    ]

    assert [answer.status_code for answer in statuses] == [201, 200, 422]


def test_a_text_block_is_sent_filled_in(hotel: Hotel, blocks: None) -> None:
    listed = hotel.call("aoi", "GET", "templates/").json()
    assert listed[0]["texts"][0]["variables"] == ["room", "time"]
    assert listed[0]["carriers"] == ["wa"]
    chosen = {"name": "arrival", "variables": {"room": "512", "time": "15:00"}}

    response = hotel.call("aoi", "POST", f"conversations/{hotel.talk.pk}/messages/", {"template": chosen})

    assert response.status_code == 201, response.content
    message = Message.objects.get(direction="outbound")
    assert message.text == "Dear Hanako Sato, room 512 is ready from 15:00. Aoi, Hotel Kaede"
    assert json.loads(message.details or "")["template"]["variables"]["room"] == "512"


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"name": "nosuch"}, "no text block"),
        ({"name": "arrival", "variables": {"room": "512"}}, "Fill in time"),
        ({"name": "arrival", "variables": {"room": "512", "time": "now", "price": "0"}}, "has no price"),
        ({"name": "arrival", "language": "fr", "variables": {}}, "language fr"),
        ({"name": "arrival", "variables": {"room": "x" * 501, "time": "now"}}, "more than 500"),
    ],
)
def test_a_block_that_can_not_be_filled_in_says_why(
    hotel: Hotel, blocks: None, chosen: dict[str, Any], words: str
) -> None:
    response = hotel.call("aoi", "POST", f"conversations/{hotel.talk.pk}/messages/", {"template": chosen})

    assert response.status_code == 400
    assert words in response.json()["detail"]


def test_a_preview_tells_what_the_channel_allows(hotel: Hotel) -> None:
    given = {"text": "Hello", "conversation": str(hotel.talk.pk), "channel": "chat"}
    allowed = hotel.call("aoi", "POST", "scan/", given).json()["limits"]

    assert (allowed["length"], allowed["max_length"], allowed["max_files"]) == (5, 5000, 5)
    assert (allowed["window_open"], allowed["refusal"]) == (True, "")
    assert hotel.call("ren", "POST", "scan/", given).status_code == 404
    assert hotel.call("aoi", "POST", "scan/", {**given, "channel": "nosuch"}).status_code == 400


def test_reading_a_file_over_the_api_is_a_view(hotel: Hotel) -> None:
    row = Attachment.objects.get(kind="attachment")
    assert read_to_end(hotel.call("sora", "GET", f"files/{row.pk}/"))

    viewed = Event.objects.filter(kind="view.content", actor=str(hotel.people["sora"].pk))
    assert viewed.count() == 1
