"""Bundles written from the database, checked by the stand-alone verifier in a process without Django."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.exports import bundle_rows
from crm_contact_guard.exports.bundle import Filters, bundle_write
from crm_contact_guard.exports.bundle_rows import Selection
from crm_contact_guard.files import storage
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.privacy import erasing
from crm_contact_guard.proof.bundle import Report, verify_bundle
from crm_contact_guard.record.models import Conversation, Event, Message, Pending
from crm_contact_guard.sealing import keys, sealer
from crm_contact_guard.sealing.models import Seal, Witnessing
from tests import factories
from tests.record import rows
from tests.verification.tampering import MANIPULATIONS, Scene, delete, needs_database, update

pytestmark = needs_database


@pytest.fixture
def talk() -> Conversation:
    return rows.talk()


@pytest.fixture
def scene(talk: Conversation) -> Scene:
    return Scene(talk, rows.sealed_record(talk))


def written(**options: Any) -> BytesIO:
    file = BytesIO()
    bundle_write(file, **{"filters": Filters(), **options})
    return file


def checked(file: BytesIO, **options: Any) -> Report:
    return verify_bundle(file, pinned=keys.verification_keys(), **options)


def given(name: str, content_type: str, content: bytes) -> FileIn:
    return FileIn(name=name, content_type=content_type, content=content)


def lines(file: BytesIO, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in zipfile.ZipFile(file).read(name).splitlines()]


def test_a_bundle_of_the_whole_record_verifies_and_includes_its_own_export(scene: Scene) -> None:
    file = written()

    report = checked(file)

    assert report.holds, report.faults
    assert report.rows == {"message": Message.objects.count(), "event": Event.objects.count()}
    assert report.hidden == 0
    assert Event.objects.filter(kind="export.bundle").count() == 1
    assert "export.bundle" in {row["kind"] for row in lines(file, "events.jsonl")}
    assert {row["text"] for row in lines(file, "messages.jsonl")} == {message.text for message in scene.messages}


def test_the_command_writes_a_bundle_that_the_auditors_program_accepts(scene: Scene, tmp_path: Path) -> None:
    since, pinned, out = tmp_path / "since.txt", tmp_path / "keys.txt", tmp_path / "bundle.zip"
    since.write_text(Seal.objects.get(size=16).checkpoint)
    pinned.write_text("".join(f"{key.to_text()}\n" for key in keys.verification_keys()))
    call_command("contact_guard_export", out=out, since=[since], stdout=StringIO())

    checker = [sys.executable, "-m", "crm_contact_guard.proof", str(out), f"--public-key={pinned}", f"--since={since}"]
    done = subprocess.run(checker, capture_output=True, text=True, env={"PATH": ""}, cwd=Path.cwd(), check=False)

    assert (done.returncode, done.stderr) == (0, "")
    counts = Message.objects.count(), Event.objects.count()
    assert "{} messages and {} events".format(*counts) in done.stdout
    assert "begins with the 16 leaves of your checkpoint" in done.stdout
    assert out.stat().st_mode & 0o777 == 0o600
    assert not out.with_name("bundle.zip.part").exists()


@pytest.mark.parametrize(
    "name",
    [
        "edit_text",
        "edit_from_address",
        "edit_occurred_at",
        "edit_direction",
        "edit_text_with_fresh_digests",
        "edit_an_event",
        "edit_an_events_reason",
        "swap_two_texts",
        "swap_two_rows_with_all_values",
        "alter_a_leaf_in_its_tile",
        "remove_the_salt",
    ],
)
def test_tampering_with_the_database_is_detected_in_the_bundle(scene: Scene, name: str) -> None:
    MANIPULATIONS[name](scene)

    report = checked(written())

    told = "\n".join(map(str, report.faults))
    places = [str(scene.victim.pk), str(scene.event(scene.victim).pk), "messages.jsonl line", "signed root"]
    assert not report.holds
    assert any(place in told for place in places), told


def test_missing_rows_are_reported(scene: Scene, tmp_path: Path) -> None:
    delete(scene.event(scene.victim))
    delete(scene.victim)

    with pytest.raises(CommandError, match="incomplete") as error:
        call_command("contact_guard_export", out=tmp_path / "b.zip", stdout=StringIO(), stderr=StringIO())

    assert error.value.returncode == 1


def test_a_filtered_bundle_has_only_matching_rows_and_verifies(scene: Scene) -> None:
    other = factories.conversation(None, name="Taro Ito")
    theirs = rows.message(other, "about somebody else", from_name="Taro Ito")
    rows.event(theirs)

    file = written(filters=Filters(customer=other.customer_id))

    report = checked(file)
    assert report.holds, report.faults
    assert [row["id"] for row in lines(file, "messages.jsonl")] == [str(theirs.pk)]
    told = [(row["kind"], row["message"]) for row in lines(file, "events.jsonl")]
    assert sorted(told, key=str) == [
        ("conversation.opened", None),
        ("delivery.sent", str(theirs.pk)),
        ("export.bundle", None),
    ]
    assert report.hidden == Message.objects.count() + Event.objects.count() - 4
    assert b"Hanako" not in zipfile.ZipFile(file).read("messages.jsonl")
    assert json.loads(zipfile.ZipFile(file).read("manifest.json"))["filters"] == {"customer": str(other.customer_id)}


def test_a_filtered_bundle_can_be_compared_with_a_witnessed_checkpoint(scene: Scene) -> None:
    Witnessing.objects.create(alias="auditor", size=16)
    kept = Seal.objects.get(size=16).checkpoint

    report = checked(written(filters=Filters(conversation=scene.talk.pk)), since=kept)

    assert report.holds, report.faults
    assert report.since is not None
    assert report.since.size == 16


def test_redacted_fields_are_left_out_but_still_proved(scene: Scene) -> None:
    file = written(redacted=["from_address", "from_name"])

    report = checked(file)

    assert report.holds, report.faults
    assert report.withheld == 2 * Message.objects.count()
    assert b"hanako@example.com" not in zipfile.ZipFile(file).read("messages.jsonl")


def test_files_are_included_by_digest_and_only_if_they_match_it(
    talk: Conversation, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    stored = storage.store([given("a.txt", "text/plain", b"one"), given("b.png", "image/png", b"two")])
    message = rows.message(talk, files=storage.listing(stored))
    storage.attach(message, stored)

    whole = written()
    (tmp_path / Attachment.objects.get(name="b.png").stored_as).write_bytes(b"altered")
    file = BytesIO()
    result = bundle_write(file, filters=Filters())

    assert checked(whole).holds
    assert sum(name.startswith("attachments/") for name in zipfile.ZipFile(whole).namelist()) == 2
    assert result.unreadable == [f"b.png of message {message.pk}"]
    assert [fault.why for fault in checked(file).faults] == [
        f"is not in the bundle, and message {message.pk} of {message.occurred_at:%Y-%m-%d %H:%M} names it: "
        "it was dropped or lost"
    ]


@pytest.mark.parametrize("options", [{"attachments": False}, {"redacted": ["files"]}])
def test_files_can_be_withheld_and_the_sealed_event_of_the_export_proves_it(
    talk: Conversation, tmp_path: Path, settings: Any, options: dict[str, Any]
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    stored = storage.store([given("a.txt", "text/plain", b"one")])
    message = rows.message(talk, files=storage.listing(stored))
    storage.attach(message, stored)

    file = written(**options, filters=Filters(conversation=talk.pk))

    assert checked(file).holds, checked(file).faults
    assert checked(file).verdict.startswith("What is shown holds. Not shown or not proven: 1 ")
    assert not [name for name in zipfile.ZipFile(file).namelist() if name.startswith("attachments/")]


def test_an_export_without_a_key_leaves_no_file(scene: Scene, tmp_path: Path, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "SIGNING_KEY": ""}

    with pytest.raises(CommandError) as error:
        call_command("contact_guard_export", out=tmp_path / "b.zip")

    assert error.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("filtered", [False, True])
def test_erased_rows_are_exported_as_erased(scene: Scene, filtered: bool) -> None:
    """A filtered bundle has the events of the erasures too, since they explain why the values are missing."""
    erasing.erase_messages(Message.objects.filter(pk=scene.victim.pk), basis="request", reason="")

    report = checked(written(filters=Filters(conversation=scene.talk.pk) if filtered else Filters()))

    assert report.holds, report.faults
    assert report.withheld == 7


def test_values_that_were_emptied_without_an_erasure_are_reported(scene: Scene) -> None:
    update(
        scene.victim, salt=None, **dict.fromkeys(("subject", "text", "from_name", "from_address", "to_name", "details"))
    )

    report = checked(written())

    assert ["nor an erasure in the record says so" in fault.why for fault in report.faults] == [True]


def test_a_selection_found_by_its_filter_is_the_one_found_by_walking_the_seals(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Include rows committed late or erased, and those that belong to a person only by the conversation."""
    other = factories.conversation(None, name="Taro Ito")
    late = rows.message(other, "committed late")
    rows.message(scene.talk, "meanwhile")
    uncommitted = Pending.objects.get(row_id=late.pk)
    Pending.objects.filter(row_id=late.pk).delete()
    sealer.seal()
    uncommitted.save(force_insert=True)
    sealer.seal()
    erasing.erase_messages(Message.objects.filter(pk=scene.victim.pk), basis="request", reason="")
    sealer.seal()
    size, using = Seal.objects.latest("size").size, "default"
    moment = scene.messages[3].occurred_at
    for filters in (
        Filters(customer=other.customer_id),
        Filters(conversation=scene.talk.pk),
        Filters(customer=scene.talk.customer_id, employee=scene.talk.employee_id),
        Filters(occurred_from=moment),
    ):
        found = Selection(using=using, size=size, filters=filters)
        monkeypatch.setattr(bundle_rows, "_FEW", 0)
        walked = Selection(using=using, size=size, filters=filters)
        monkeypatch.undo()

        assert list(found.leaves()) == list(walked.leaves()), filters
        assert list(found.lines("event")) == list(walked.lines("event"))
        assert list(found.leaves()) or filters.employee


def test_a_bundle_of_one_customer_takes_as_many_queries_in_a_larger_record(scene: Scene) -> None:
    """Also if the customer's rows were committed long after they got their IDs."""
    one = factories.conversation(None, name="Taro Ito")
    rows.message(one, "at once")
    late = [rows.message(one, f"committed late {number}") for number in range(40)]
    waiting = list(Pending.objects.filter(row_id__in=[message.pk for message in late]))
    Pending.objects.filter(pk__in=[row.pk for row in waiting]).delete()
    sealer.seal()
    counted = []
    for part, sealed in ((waiting[:1], 2), (waiting[1:], 41)):
        for row in part:
            row.save(force_insert=True)
            rows.message(scene.talk, "of somebody else")
            sealer.seal()
        with CaptureQueriesContext(connection) as captured:
            file = written(filters=Filters(customer=one.customer_id))
        counted.append(len(captured))
        assert len(lines(file, "messages.jsonl")) == sealed
        assert checked(file).holds

    assert counted[0] <= 36
    assert counted[1] <= counted[0] + 10
