"""What is read of a message's files, and which messages are still to be inspected."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.detection.files import documents
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.files import storage
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.record.recording import record_message
from crm_contact_guard.supervision import contents, inspection
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.rescan import messages_to_rescan
from tests import factories
from tests.clock import Clock
from tests.file_samples import qr_png

pytestmark = pytest.mark.django_db

CONTACT = b"My LINE id is hanako_22, add me"
DAMAGED = b"%PDF-1.4 nothing more"
HARMLESS = b"Breakfast is served from 7 to 10"


@pytest.fixture
def talk(settings: Any, tmp_path: Path, clock: Clock) -> Conversation:
    settings.STORAGES = {
        **settings.STORAGES,
        "guard": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "FILE_STORAGE": "guard"}
    return factories.conversation(factories.employee("aoi", branch=factories.team(head="sora")))


def file(content: bytes, name: str = "note.txt", kind: str = "attachment") -> FileIn:
    return FileIn(name=name, content_type="application/octet-stream", content=content, kind=kind)


def recorded(talk: Conversation, *files: FileIn, direction: str = "inbound", **more: Any) -> Message:
    stored = storage.store(files)
    given = {"occurred_at": factories.office_time(), "text": "See here", **more}
    message = record_message(
        conversation=talk, direction=direction, channel="chat", files=storage.listing(stored), **given
    )
    storage.attach(message, stored)
    return message


def places(message: Message) -> list[str]:
    return [content.place for content in contents.of_message(message)]


def test_content_and_name_of_each_file_are_read_by_its_place(talk: Conversation) -> None:
    message = recorded(
        talk, file(HARMLESS), file(CONTACT), file(HARMLESS, "My_LINE_id_is_hanako_22,_add_me.txt"),
        file(CONTACT, kind="original"),
    )  # fmt: skip

    assert places(message) == ["file-1", "name-2"]
    assert contents.names(message)["file-1"] == contents.names(message)["name-0"] == "note.txt"
    assert [found.place for found in contents.of_files([file(HARMLESS), file(CONTACT)], Direction.OUTBOUND)] == [
        "file-1"
    ]
    assert contents.names(recorded(talk)) == {}


def test_a_code_in_a_picture_is_marked_as_such(talk: Conversation) -> None:
    [found] = contents.of_message(recorded(talk, file(qr_png("https://line.me/ti/p/abcDEF123"), "map.png")))

    assert found.file == "map.png"
    [plain] = contents.of_message(recorded(talk, file(CONTACT)))
    assert {finding.technique for finding in found.scan.findings} == {"qr_image"}
    assert "qr_image" not in {finding.technique for finding in plain.scan.findings}


@pytest.mark.parametrize(("direction", "told"), [("outbound", ["file-0"]), ("inbound", []), ("note", [])])
def test_what_can_not_be_read_is_told_of_what_goes_out(talk: Conversation, direction: str, told: list[str]) -> None:
    message = recorded(talk, file(DAMAGED, "a.pdf"), direction=direction)

    found = contents.of_message(message)

    assert [content.place for content in found] == told
    for content in found:
        [finding] = content.scan.findings
        assert (finding.detector, finding.start, finding.end) == (contents.UNREAD, 0, 0)
        assert (content.scan.attempt, content.file) == (False, "a.pdf")


@pytest.mark.parametrize(("size", "read"), [(documents.MAX_BYTES, True), (documents.MAX_BYTES + 1, False)])
def test_a_file_that_is_too_large_is_not_opened_and_the_next_one_is(talk: Conversation, size: int, read: bool) -> None:
    message = recorded(talk, file(CONTACT), file(CONTACT), direction="outbound")
    Attachment.objects.filter(position=0).update(size=size)

    first, second = contents.of_message(message)

    assert (first.scan.findings[0].detector == contents.UNREAD) is not read
    assert second.scan.findings[0].detector != contents.UNREAD


def test_a_file_that_the_storage_lost_hides_no_other(talk: Conversation, tmp_path: Path) -> None:
    message = recorded(talk, file(CONTACT), file(CONTACT), file(CONTACT))
    (tmp_path / Attachment.objects.get(position=0).stored_as).unlink()
    Attachment.objects.filter(position=1).update(stored_as="")

    assert places(message) == ["file-2"]


def test_of_many_files_the_first_twenty_are_read(talk: Conversation) -> None:
    message = recorded(talk, *(file(CONTACT if number in (19, 20) else HARMLESS) for number in range(22)))

    assert places(message) == ["file-19"]


# --- what is still to be inspected, and what is read again


def keys(*messages: Message) -> list[UUID]:
    return [message.pk for message in messages]


def test_what_was_recorded_since_and_not_yet_inspected_oldest_first(talk: Conversation, clock: Clock) -> None:
    recorded(talk)
    since: datetime = clock.forward(60)
    first = recorded(talk)
    clock.forward(60)
    second = recorded(talk)
    recorded(talk, source="backfill")
    clock.forward(60)
    third = recorded(talk)
    inspection.inspect(second)

    assert inspection.uninspected(since=since) == keys(first, third)
    assert inspection.uninspected(since=since, limit=1) == keys(first)


def test_the_requested_messages_are_read_again_but_erased_ones(talk: Conversation) -> None:
    other = factories.conversation(factories.employee("ken"), name="Robert King")
    start = factories.office_time()
    second, first, erased = (
        recorded(talk, occurred_at=start + timedelta(hours=hours), text="Hello") for hours in (1, 0, 2)
    )
    elsewhere = recorded(other, occurred_at=start, source="backfill")
    erase_messages(Message.objects.filter(pk=erased.pk), basis="request")

    assert list(messages_to_rescan(conversation=talk.pk)) == [first, second]
    assert set(messages_to_rescan()) == {first, second, elsewhere}
    assert list(messages_to_rescan(since=start + timedelta(seconds=1))) == [second]
    assert list(messages_to_rescan(since=second.occurred_at)) == [second]
    assert set(messages_to_rescan(until=second.occurred_at)) == {first, elsewhere}


@pytest.mark.parametrize(
    ("direction", "by", "at", "alerts"),
    [
        ("outbound", "aoi", "2026-11-24T22:00:00+09:00", 1),
        ("outbound", "aoi", "2026-11-24T10:00:00+09:00", 0),
        ("outbound", "", "2026-11-24T22:00:00+09:00", 0),  # sent by nobody of the staff
        ("inbound", "aoi", "2026-11-24T22:00:00+09:00", 0),
        ("note", "aoi", "2026-11-24T22:00:00+09:00", 0),
    ],
)
def test_only_what_an_employee_writes_off_duty_is_after_hours(
    talk: Conversation, direction: str, by: str, at: str, alerts: int
) -> None:
    message = recorded(
        talk, direction=direction, occurred_at=datetime.fromisoformat(at), text="Your room is ready.",
        employee_id=talk.employee_id if by else None,
    )  # fmt: skip

    inspection.inspect(message)

    assert (
        list(Alert.objects.values_list("topic", "kind", "by", "stance"))
        == [("after_hours", "after_hours", "employee", "none")] * alerts
    )
