"""Checkpoints stored by witnesses reveal a database that was rolled back, forked or rewritten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard import tasks
from crm_contact_guard.proof.merkle import Frontier
from crm_contact_guard.proof.notes import SigningKey, open_checkpoint
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.sealing import keys, witnessing
from crm_contact_guard.sealing.models import Seal, Tile, TreeHead, Witnessing
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.sealing.witnesses import StorageWitness, Witness
from crm_contact_guard.verification.whole_record import verify
from tests.record import rows

pytestmark = pytest.mark.django_db

ORIGIN = "kaede.example/contact-guard"
STORAGE = "crm_contact_guard.sealing.witnesses.StorageWitness"


class Broken(Witness):
    """A witness whose server is down."""

    def keep(self, checkpoint: str, *, origin: str, size: int) -> None:
        raise ConnectionError("connection refused")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    witnesses = [
        {"BACKEND": f"{__name__}.Broken", "NAME": "down"},
        {"BACKEND": STORAGE, "NAME": "vault", "EVERY": 0, "OPTIONS": {"folder": str(tmp_path)}},
    ]
    with override_settings(CONTACT_GUARD={**django_settings.CONTACT_GUARD, "WITNESSES": witnesses}):
        yield tmp_path


@pytest.mark.parametrize("name", ["StorageWitness", "storage.StorageWitness"])
def test_a_witness_can_be_configured_by_its_former_path(tmp_path: Path, name: str) -> None:
    old = {"BACKEND": f"crm_contact_guard.ledger.witnesses.{name}", "OPTIONS": {"folder": str(tmp_path)}}
    with override_settings(CONTACT_GUARD={**django_settings.CONTACT_GUARD, "WITNESSES": [old]}):
        assert isinstance(witnessing.configured()[0].witness, StorageWitness)


@pytest.fixture
def talk() -> Conversation:
    return rows.talk()


def roll_back(size: int) -> None:
    """Reset the tree to ``size`` leaves, as restoring a backup would. The rows stay."""
    Seal.objects.filter(size__gt=size).delete()
    tile = Tile.objects.get()
    hashes = bytes(tile.hashes)[: size * 32]
    Tile.objects.update(hashes=hashes)
    frontier = Frontier()
    frontier.append(hashes)
    TreeHead.objects.update(size=size, frontier=frontier.to_bytes())


def test_a_folder_stores_each_checkpoint_and_returns_the_newest(folder: Path, talk: Conversation) -> None:
    for _ in range(2):
        rows.sealed_record(talk, runs=1)
        assert tasks.witness() == ["vault"]

    files = sorted(folder.rglob("*.txt"))
    newest = StorageWitness(folder=str(folder)).latest(origin=ORIGIN)
    assert [int(file.stem) for file in files] == [8, 16]
    assert newest == files[-1].read_text()
    assert open_checkpoint(newest, keys.verification_keys(), ORIGIN).size == 16
    assert tasks.witness() == []


def test_verification_compares_with_stored_checkpoints(folder: Path, talk: Conversation) -> None:
    rows.sealed_record(talk, runs=1)
    witnessing.keep_all()
    rows.sealed_record(talk, runs=1)

    report = verify()

    assert report.holds
    assert report.witnessed == [("vault", 8)]


def test_a_rolled_back_database_is_detected(folder: Path, talk: Conversation) -> None:
    rows.sealed_record(talk, runs=3)
    witnessing.keep_all()
    roll_back(16)

    faults = "\n".join(map(str, verify().faults))

    assert "witness vault: A signed checkpoint has 24 leaves, the record only 16: it was rolled back" in faults


def test_a_fork_is_detected_and_not_witnessed(folder: Path, talk: Conversation) -> None:
    rows.sealed_record(talk, runs=3)
    witnessing.keep_all()
    roll_back(16)
    rows.message(talk, "another history")
    for _ in range(12):
        rows.message(talk)
    seal()

    stored = witnessing.keep_all()

    assert stored == []
    assert "differ from the signed ones" in Witnessing.objects.get(pk="vault").error
    assert len(list(folder.rglob("*.txt"))) == 1
    assert "witness vault: The first 24 leaves differ from the signed ones" in "\n".join(map(str, verify().faults))


def test_since_takes_a_checkpoint_from_a_file(tmp_path: Path, talk: Conversation) -> None:
    rows.sealed_record(talk, runs=1)
    good, alien = tmp_path / "good.txt", tmp_path / "alien.txt"
    good.write_text(Seal.objects.get().checkpoint)
    text = good.read_text().partition("\n\n")[0] + "\n"
    alien.write_text(SigningKey.generate(ORIGIN).sign(text))
    rows.sealed_record(talk, runs=1)
    out = StringIO()

    call_command("contact_guard_verify", since=[good], stdout=out)
    with pytest.raises(CommandError, match="no signature is from a known key"):
        call_command("contact_guard_verify", since=[good, alien], stdout=StringIO())
    with pytest.raises(CommandError) as error:
        call_command("contact_guard_verify", since=[tmp_path / "none.txt"], stdout=StringIO())

    assert "the record begins with the 8 leaves of its checkpoint" in out.getvalue()
    assert error.value.returncode == 2


def test_a_failing_witness_does_not_stop_the_others(folder: Path, talk: Conversation) -> None:
    rows.sealed_record(talk, runs=1)

    assert witnessing.keep_due() == ["vault"]

    assert Witnessing.objects.get(pk="down").error == "connection refused"
    assert Witnessing.objects.get(pk="down").kept_at is None


def test_the_auditor_gets_a_checkpoint_by_mail_once_a_day(talk: Conversation) -> None:
    rows.sealed_record(talk, runs=1)
    assert witnessing.keep_due() == ["auditor"]
    rows.sealed_record(talk, runs=1)
    assert witnessing.keep_due() == []
    Witnessing.objects.update(kept_at=timezone.now() - timedelta(days=1, seconds=1))
    assert witnessing.keep_due() == ["auditor"]

    first, second = mail.outbox
    assert first.to == ["auditor@audit.example"]
    name, content, _type = second.attachments[0]
    assert name == "checkpoint-16.txt"
    assert open_checkpoint(str(content), keys.verification_keys(), ORIGIN).size == 16


def test_two_origins_never_share_a_folder(tmp_path: Path) -> None:
    witness = StorageWitness(folder=str(tmp_path))
    witness.keep("first", origin="../a/b", size=1)
    witness.keep("second", origin="a", size=5000)

    assert witness.latest(origin="../a/b") == "first"
    assert witness.latest(origin="a") == "second"
    assert witness.latest(origin="b") is None
    assert not (tmp_path.parent / "a").exists()


def test_a_checkpoint_of_another_record_is_refused(talk: Conversation, tmp_path: Path) -> None:
    rows.sealed_record(talk, runs=1)
    key: Any = keys.signing_key_or_refuse()
    other = key.sign(f"other.example/log\n0\n{'A' * 43}=\n")

    faults = "\n".join(map(str, verify(since=[other]).faults))

    assert f"the checkpoint belongs to other.example/log, this record is {ORIGIN}" in faults
