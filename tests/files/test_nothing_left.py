"""A file lies in the storage if, and only if, a recorded message names it: what goes wrong leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import FileIn, InboundMessage
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.record.models import Conversation, Message
from tests import factories
from tests.trouble import OvertakenStorage, refusing

pytestmark = pytest.mark.django_db

PAPER = FileIn(name="menu.txt", content_type="text/plain", content=b"Breakfast is served from 7 to 10")
OTHER = FileIn(name="map.txt", content_type="text/plain", content=b"Turn left at the lift")


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> Path:
    """An empty storage of our own."""
    settings.STORAGES = {
        **settings.STORAGES,
        "guard": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "FILE_STORAGE": "guard"}
    return tmp_path


@pytest.fixture
def talk() -> Conversation:
    return factories.conversation(factories.employee("aoi"))


def stored(place: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in place.rglob("*") if path.is_file())


def send(talk: Conversation, **more: Any) -> gateway.Sent:
    assert talk.employee is not None
    given = {"text": "Here it is.", "attachments": [PAPER, OTHER], "occurred_at": factories.office_time(), **more}
    return gateway.send(actor=talk.employee, conversation=talk, **given)


def comes(talk: Conversation) -> gateway.Received:
    return gateway.receive(
        InboundMessage(
            channel="chat", event_id="e1", from_address="", text="Here", occurred_at=factories.office_time(),
            reply_tokens=(talk.reply_token,), files=(PAPER, OTHER),
        )
    )  # fmt: skip


def note(talk: Conversation) -> Message:
    assert talk.employee is not None
    return gateway.note(
        actor=talk.employee, conversation=talk, kind="call", text="Asked for the menu", occurred_at=timezone.now(),
        attachments=[PAPER, OTHER],
    )  # fmt: skip


@pytest.mark.parametrize("door", [send, comes, note])
def test_what_is_recorded_is_kept(talk: Conversation, place: Path, door: Callable[[Conversation], Any]) -> None:
    door(talk)

    assert stored(place) == sorted([PAPER.content, OTHER.content])
    rows = Attachment.objects.order_by("position")
    assert [(row.name, row.position, row.size) for row in rows] == [
        ("menu.txt", 0, len(PAPER.content)),
        ("map.txt", 1, len(OTHER.content)),
    ]
    assert [(place / row.stored_as).read_bytes() for row in rows] == [PAPER.content, OTHER.content]


@pytest.mark.parametrize("door", [send, comes, note])
@pytest.mark.parametrize("table", ["message", "attachment"])
@pytest.mark.parametrize("error", [DatabaseError, IntegrityError])
def test_what_the_database_refuses_leaves_no_file(
    talk: Conversation,
    place: Path,
    door: Callable[[Conversation], Any],
    table: str,
    error: type[DatabaseError],
) -> None:
    with pytest.raises(DatabaseError, match="no room"), transaction.atomic(), refusing(table, error("no room")):
        door(talk)

    assert stored(place) == []
    assert not Message.objects.exists()
    assert not Attachment.objects.exists()


def test_a_nudged_message_stores_no_file(talk: Conversation, place: Path) -> None:
    sent = send(talk, text="個人のLINEは aoi_private です。こちらにどうぞ")

    assert sent.message is None
    assert stored(place) == []


def test_a_repeated_message_stores_its_files_once(talk: Conversation, place: Path) -> None:
    comes(talk)
    again = comes(talk)

    assert again.duplicate
    assert stored(place) == sorted([PAPER.content, OTHER.content])
    assert Attachment.objects.count() == 2


def sends_with_a_key(talk: Conversation) -> gateway.Sent:
    return send(talk, idempotency_key="k")


@pytest.mark.parametrize("door", [sends_with_a_key, comes])
def test_of_two_at_once_only_the_firsts_files_stay(
    talk: Conversation, place: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, door: Callable[[Conversation], Any]
) -> None:
    """The same request or event comes twice, and the second is done before the first is recorded."""
    guard = {**settings.STORAGES["guard"], "BACKEND": "tests.trouble.OvertakenStorage"}
    settings.STORAGES = {**settings.STORAGES, "guard": guard}
    done = []
    monkeypatch.setattr(OvertakenStorage, "meanwhile", lambda: done.append(door(talk)))

    late = door(talk)

    [first] = done
    assert late.message == first.message == Message.objects.get()
    assert late.repeated if isinstance(late, gateway.Sent) else (late.duplicate, late.conversation) == (True, talk)
    assert stored(place) == sorted([PAPER.content, OTHER.content])


@pytest.mark.parametrize("door", [send, comes, note])
def test_a_full_disk_keeps_no_half_of_the_files(
    talk: Conversation, place: Path, settings: Any, door: Callable[[Conversation], Any]
) -> None:
    guard = {**settings.STORAGES["guard"], "BACKEND": "tests.trouble.FullStorage"}
    settings.STORAGES = {**settings.STORAGES, "guard": guard}

    with pytest.raises(OSError, match="No space left"):
        door(talk)

    assert stored(place) == []
    assert not Message.objects.exists()
