"""Files that are still at the carrier: fetched once, tried again, or reported as lost; nothing is left over."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from crm_contact_guard.channels.base import FileIn, MediaRef
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.files import media
from crm_contact_guard.files.models import Attachment, Media
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_message
from tests import factories
from tests.clock import Clock

pytestmark = pytest.mark.django_db

PHOTO = FileIn(name="photo.jpg", content_type="image/jpeg", content=b"\xff\xd8\xff")


class Keeping(MemoryChannel):
    """A carrier that keeps files, and answers with what the test says."""

    answer: ClassVar[Callable[[MediaRef], FileIn]]
    asked: ClassVar[list[MediaRef]] = []

    def fetch(self, media: MediaRef) -> FileIn:
        Keeping.asked.append(media)
        return Keeping.answer(media)


def fails(error: Exception) -> Callable[[MediaRef], FileIn]:
    def answer(_media: MediaRef) -> FileIn:
        raise error

    return answer


@pytest.fixture
def message(settings: Any, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Message:
    settings.STORAGES = {
        **settings.STORAGES,
        "guard": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    channels = {**settings.CONTACT_GUARD["CHANNELS"], "keeping": {"BACKEND": f"{__name__}.Keeping"}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": channels, "FILE_STORAGE": "guard"}
    monkeypatch.setattr(Keeping, "answer", staticmethod(lambda _media: PHOTO), raising=False)
    monkeypatch.setattr(Keeping, "asked", [])
    talk = factories.conversation(factories.employee("aoi"), channel="keeping")
    return record_message(
        conversation=talk, direction="inbound", channel="keeping", occurred_at=clock.now, text="See photo",
        employee_id=talk.employee_id, from_name="Hanako", from_address="h", to_name="Aoi", to_address="a",
    )  # fmt: skip


def waits(message: Message, ref: str = "1", **more: str) -> Media:
    [pk] = media.expect(message, [MediaRef(ref=ref, **more)])
    return Media.objects.get(pk=pk)


def test_a_fetched_file_is_recorded_as_a_reply_of_the_same_people(message: Message, tmp_path: Path) -> None:
    row = waits(message, "id-7", name="x" * 300, content_type="image/" + "y" * 200)

    later = media.fetch(row.pk)

    [asked] = Keeping.asked
    assert (asked.ref, asked.name, asked.content_type) == ("id-7", "x" * 255, ("image/" + "y" * 200)[:127])
    assert later is not None
    later = Message.objects.get(pk=later.pk)
    assert (later.reply_to, later.text, json.loads(later.details or "")) == (message, "", {media.OF: str(message.pk)})
    same = (
        "conversation_id", "direction", "channel", "occurred_at", "employee_id", "from_name", "from_address",
        "to_name", "to_address",
    )  # fmt: skip
    assert [getattr(later, name) for name in same] == [getattr(message, name) for name in same]
    [listed] = json.loads(later.files or "")
    assert (listed["name"], listed["type"], listed["size"]) == ("photo.jpg", "image/jpeg", 3)
    assert (tmp_path / Attachment.objects.get(message=later).stored_as).read_bytes() == PHOTO.content
    assert not Media.objects.exists()
    assert media.fetch(row.pk) is None
    assert Message.objects.count() == 2


def test_the_first_message_says_which_files_were_still_to_come() -> None:
    refs = [MediaRef(ref="1", name="n" * 300, content_type="t" * 200), MediaRef(ref="2")]

    assert media.listing(refs) == [{"name": "n" * 255, "type": "t" * 127}, {"name": "", "type": ""}]


def test_what_waits_longest_is_fetched_first_and_only_so_much(message: Message, clock: Clock) -> None:
    first, second, ahead = (waits(message, str(number)) for number in range(3))
    Media.objects.filter(pk=second.pk).update(due_at=clock.now - timedelta(minutes=1))
    Media.objects.filter(pk=ahead.pk).update(due_at=clock.now + timedelta(microseconds=1))

    assert media.due(clock.now) == [second.pk, first.pk]
    assert media.due(clock.now, limit=1) == [second.pk]
    assert media.fetch(ahead.pk) is None
    assert Keeping.asked == []


def test_two_workers_never_fetch_the_same_file(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    row = waits(message)
    others: list[Message | None] = []

    def meanwhile(_media: MediaRef) -> FileIn:
        others.append(media.fetch(row.pk))
        return PHOTO

    monkeypatch.setattr(Keeping, "answer", staticmethod(meanwhile))

    assert media.fetch(row.pk) is not None
    assert others == [None]
    assert len(Keeping.asked) == 1


@pytest.mark.parametrize("error", [ChannelError("later", permanent=False), ValueError("bad answer")])
def test_a_file_that_can_not_be_fetched_yet_is_tried_again(
    message: Message, clock: Clock, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    row, other = waits(message), waits(message, "2")
    monkeypatch.setattr(Keeping, "answer", staticmethod(fails(error)))

    assert media.fetch(row.pk) is None

    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.due_at, row.attempts) == (clock.now + timedelta(seconds=10), 1)
    assert (other.due_at, other.attempts) == (clock.now, 0)
    assert not Event.objects.filter(kind="media.lost").exists()


@pytest.mark.parametrize(
    ("error", "attempts", "told"),
    [
        (ChannelError("gone " * 200, permanent=True), 0, ("gone " * 200)[:500]),
        (ChannelError("later", permanent=False), 6, "later"),
        (ValueError(), 6, "ValueError"),
    ],
)
def test_a_lost_file_is_reported_once(
    message: Message, monkeypatch: pytest.MonkeyPatch, error: Exception, attempts: int, told: str
) -> None:
    row, other = waits(message, "id-7", name="photo.jpg"), waits(message, "2")
    Media.objects.filter(pk=row.pk).update(attempts=attempts)
    monkeypatch.setattr(Keeping, "answer", staticmethod(fails(error)))

    for _ in range(2):
        assert media.fetch(row.pk) is None

    event = Event.objects.get(kind="media.lost")
    assert (event.subject_type, event.subject_id) == ("message", str(message.pk))
    assert (event.actor_type, event.message) == ("carrier", message)
    assert json.loads(event.data) == {"attempts": attempts + 1}
    assert json.loads(event.details or "") == {"error": told, "ref": "id-7", "name": "photo.jpg"}
    assert Media.objects.get() == other


def test_a_file_waits_while_its_channel_is_not_configured(message: Message, clock: Clock, settings: Any) -> None:
    row = waits(message)
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {}}

    assert media.fetch(row.pk) is None

    assert media.due(clock.forward(media.RETRY.lease)) == [row.pk]
    assert not Event.objects.filter(kind="media.lost").exists()


@pytest.mark.parametrize("gone", ["erased", "recorded"])
def test_a_file_that_comes_too_late_is_not_kept(
    message: Message, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gone: str
) -> None:
    row = waits(message)

    def meanwhile(_media: MediaRef) -> FileIn:
        if gone == "recorded":
            Media.objects.all().delete()
        return PHOTO

    monkeypatch.setattr(Keeping, "answer", staticmethod(meanwhile))
    if gone == "erased":
        erase_messages(Message.objects.filter(pk=message.pk), basis="request")
        Media.objects.get_or_create(pk=row.pk, defaults={"message": message, "ref": "1", "due_at": row.due_at})

    assert media.fetch(row.pk) is None

    assert Message.objects.count() == 1
    assert not Attachment.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
