"""Stored files as they are handed out: what a browser may do with them, and how long a carrier's link lasts."""

from __future__ import annotations

import hashlib
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from django.http import Http404

from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.files import storage
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.files.responses import hand_out
from crm_contact_guard.record.models import Message
from crm_contact_guard.record.recording import record_message
from tests import factories

pytestmark = pytest.mark.django_db

DAY = 24 * 3600


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> Path:
    settings.STORAGES = {
        **settings.STORAGES,
        "guard": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    settings.CONTACT_GUARD = {
        **settings.CONTACT_GUARD, "FILE_STORAGE": "guard", "PUBLIC_URL": "https://crm.example/"
    }  # fmt: skip
    return tmp_path


def attached(*files: FileIn) -> list[Attachment]:
    stored = storage.store(files)
    talk = factories.conversation(factories.employee("aoi"))
    message = record_message(
        conversation=talk, direction="inbound", channel="chat", occurred_at=factories.office_time(), text="",
        files=storage.listing(stored),
    )  # fmt: skip
    storage.attach(message, stored)
    return list(Attachment.objects.all())


def one(content_type: str = "text/plain", content: bytes = b"menu") -> Attachment:
    [row] = attached(FileIn(name="メニュー.txt", content_type=content_type, content=content))
    return row


@pytest.mark.parametrize(
    ("content_type", "served"),
    [
        ("image/png", "image/png"),
        ("audio/ogg", "audio/ogg"),
        ("video/mp4", "video/mp4"),
        ("application/pdf", "application/pdf"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/html", "application/octet-stream"),
        ("text/vcard", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("application/javascript", "application/octet-stream"),
        ("message/rfc822", "application/octet-stream"),
    ],
)
def test_a_browser_saves_a_file_and_runs_nothing(content_type: str, served: str) -> None:
    with closing(hand_out(one(content_type))) as answer:
        assert b"".join(answer.streaming_content) == b"menu"
    assert answer["Content-Type"] == served
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''%E3%83%A1")
    assert answer["Content-Length"] == "4"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert {"private", "no-store"} <= {word.strip() for word in answer["Cache-Control"].split(",")}


def test_a_file_that_the_storage_lost_is_not_found(place: Path) -> None:
    row = one()
    (place / row.stored_as).unlink()

    with pytest.raises(Http404):
        hand_out(row)


def test_a_file_is_kept_under_a_random_name_with_what_fits_its_columns(place: Path) -> None:
    long = FileIn(name="n" * 300, content_type="t" * 200, content=b"long", kind="original")

    first, second = attached(FileIn(name="menu.txt", content_type="text/plain", content=b"menu"), long)

    assert (first.name, first.kind, first.position, second.position) == ("menu.txt", "attachment", 0, 1)
    assert (second.name, second.content_type, second.kind) == ("n" * 255, "t" * 127, "original")
    assert second.sha256 == hashlib.sha256(b"long").hexdigest()
    assert "menu" not in first.stored_as
    listed = storage.listing([storage.StoredFile(long, second.sha256, second.stored_as)])
    assert listed == [{"name": "n" * 255, "type": "t" * 127, "size": 4, "sha256": second.sha256, "kind": "original"}]


# --- links for carriers


def token(link: str) -> str:
    assert link.startswith("https://crm.example/")
    assert "//" not in link.removeprefix("https://")
    return link.rstrip("/").rpartition("/")[2]


@pytest.mark.parametrize(("age", "lasts"), [(0, True), (7 * DAY - 1, True), (7 * DAY + 1, False)])
def test_a_carriers_link_lasts_for_seven_days(monkeypatch: pytest.MonkeyPatch, age: int, lasts: bool) -> None:
    row, now = one(), time.time()
    with monkeypatch.context() as earlier:
        earlier.setattr("time.time", lambda: now - age)
        link = storage.carrier_link(row)

    assert storage.by_carrier_token(token(link)) == (row if lasts else None)


def test_a_link_is_of_one_file_and_made_here() -> None:
    first, second = attached(*(FileIn(name=name, content_type="text/plain", content=b"x") for name in ("a", "b")))

    assert storage.by_carrier_token(token(storage.carrier_link(second))) == second
    assert storage.outbound(first).url != storage.outbound(second).url
    assert storage.by_carrier_token(signing.dumps(str(first.pk))) is None, "signed for another purpose"
    assert storage.by_carrier_token(f"{token(storage.carrier_link(first))}x") is None
    assert storage.by_carrier_token("") is None


def test_without_an_address_of_our_own_there_is_no_link(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "PUBLIC_URL": ""}

    file = storage.outbound(one())

    assert (file.url, file.name, file.content_type, file.size) == ("", "メニュー.txt", "text/plain", 4)
    assert file.sha256 == hashlib.sha256(b"menu").hexdigest()
    assert file.read() == b"menu"


def test_the_link_of_an_erased_file_leads_nowhere() -> None:
    row = one()
    link = storage.carrier_link(row)
    Attachment.objects.filter(pk=row.pk).update(stored_as="")

    assert storage.by_carrier_token(token(link)) is None
    assert Message.objects.exists()
