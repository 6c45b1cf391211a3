"""Rows get consecutive leaf indexes, each once, and every tree head is signed and consistent with the one before."""

from __future__ import annotations

import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, current_app
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import override_settings

from crm_contact_guard import tasks
from crm_contact_guard.conf import CONTACT_GUARD_ROUTES, CONTACT_GUARD_SCHEDULE
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.proof.merkle import tree_root
from crm_contact_guard.proof.notes import SigningKey, open_checkpoint
from crm_contact_guard.record.models import Event, Message, Pending
from crm_contact_guard.sealing import keys, proofs
from crm_contact_guard.sealing.models import Seal, Tile, TreeHead
from crm_contact_guard.sealing.sealer import Sealed, SealingRefused, seal
from crm_contact_guard.sealing.tree import ENTRY
from crm_contact_guard.verification.whole_record import verify
from tests.record import rows
from tests.trouble import refusing

pytestmark = pytest.mark.django_db


def guard(**values: Any) -> Any:
    return override_settings(CONTACT_GUARD={**django_settings.CONTACT_GUARD, **values})


def sealed_ids() -> list[bytes]:
    held = b"".join(bytes(rows) for rows in Seal.objects.order_by("size").values_list("rows", flat=True))
    return [held[at + 1 : at + ENTRY] for at in range(0, len(held), ENTRY)]


def test_every_row_is_sealed_once_in_consecutive_order() -> None:
    messages = rows.sealed_record(rows.talk(), runs=3, each=5)

    ids = [row.bytes for model in (Message, Event) for row in model.objects.values_list("pk", flat=True)]
    assert sorted(sealed_ids()) == sorted(ids)
    assert list(Seal.objects.order_by("size").values_list("size", flat=True)) == [10, 20, 30]
    assert not Pending.objects.exists()
    assert {message.pk.bytes for message in messages[:3]} < set(sealed_ids()[:10])


def test_the_root_is_that_of_the_rows_leaf_hashes_in_order() -> None:
    rows.sealed_record(rows.talk(), runs=2, each=3)
    hashes = {row.pk.bytes: bytes(row.leaf_hash) for model in (Message, Event) for row in model.objects.all()}

    head = proofs.head()

    assert head is not None
    checkpoint = open_checkpoint(head.checkpoint, keys.verification_keys(), "kaede.example/contact-guard")
    assert (checkpoint.size, checkpoint.root) == (12, tree_root(b"".join(hashes[one] for one in sealed_ids())))


def test_batches_smaller_than_a_tile_and_across_tiles_give_one_tree() -> None:
    talk = rows.talk()
    for number in range(290 - Pending.objects.count()):
        rows.message(talk, str(number))

    done = seal(batch=37)

    assert (done.rows, done.size, Seal.objects.count()) == (290, 290, 8)
    assert sorted((tile.pk, len(bytes(tile.hashes)) // 32) for tile in Tile.objects.all()) == [
        (0, 256),
        (1, 34),
        (2**48, 1),
    ]
    assert verify().holds


def test_sealing_nothing_changes_nothing() -> None:
    rows.sealed_record(rows.talk(), runs=1)
    before = list(Seal.objects.values()), list(TreeHead.objects.values())

    done = seal()

    assert (done.rows, done.size) == (0, 8)
    assert done.checkpoint == Seal.objects.get().checkpoint
    assert (list(Seal.objects.values()), list(TreeHead.objects.values())) == before


def test_a_failed_sealing_leaves_everything_as_it_was() -> None:
    talk = rows.talk()
    rows.sealed_record(talk, runs=1)
    rows.message(talk)

    with pytest.raises(KeyboardInterrupt), refusing("seal", KeyboardInterrupt()):
        seal()

    assert (Pending.objects.count(), Seal.objects.count(), TreeHead.objects.get().size) == (1, 1, 8)
    assert seal().size == 9


def test_a_rolled_back_row_is_never_sealed() -> None:
    talk = rows.talk()
    with transaction.atomic():
        rows.message(talk)
        transaction.set_rollback(True)
    kept = rows.message(talk)

    seal()

    assert kept.pk.bytes in sealed_ids()
    assert len(sealed_ids()) == Message.objects.count() + Event.objects.count()


def test_a_row_committed_late_is_sealed_later_and_found() -> None:
    talk = rows.talk()
    late = rows.message(talk)
    pending = Pending.objects.get(row_id=late.pk)
    pending.delete()
    rows.sealed_record(talk, runs=2)
    # Simulates a transaction that began before the others and committed after them.
    pending.save(force_insert=True)
    seal()

    proof = proofs.inclusion(late)

    assert proof is not None
    assert proof.index == TreeHead.objects.get().size - 1
    assert verify().holds


def test_checkpoints_stay_valid_after_a_key_rotation() -> None:
    talk = rows.talk()
    rows.sealed_record(talk, runs=1)
    old, new = keys.signing_key_or_refuse(), SigningKey.generate("other.example/guard")

    with guard(SIGNING_KEY=new.to_text(), VERIFICATION_KEYS=[old.verifier.to_text()]):
        rows.sealed_record(talk, runs=1)
        report = verify()
        head = proofs.head()
    with guard(SIGNING_KEY=new.to_text()):
        without = verify()

    assert report.holds
    assert report.signers == {old.verifier: 1, new.verifier: 1}
    assert head is not None
    assert open_checkpoint(head.checkpoint, [new.verifier]).origin == old.name
    assert [fault.where for fault in without.faults] == ["checkpoint of 8 leaves"]


def test_a_key_can_be_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    public = StringIO()
    call_command("contact_guard_keygen", str(file), "--name=hotel.example/log", stdout=public, stderr=StringIO())
    known = tmp_path / "public_keys.txt"
    known.write_text(f"# of 2026\n{public.getvalue()}")

    with guard(SIGNING_KEY=str(file), VERIFICATION_KEYS=[str(known)]):
        assert keys.signing_key_or_refuse().name == "hotel.example/log"
        assert [key.to_text() for key in keys.verification_keys()] == [public.getvalue().strip()]
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match="exists"):
        call_command("contact_guard_keygen", str(file), stderr=StringIO())


def test_the_error_for_a_missing_key_file_shows_its_absolute_path() -> None:
    with guard(SIGNING_KEY="keys/contact-guard.key"), pytest.raises(ConfigurationError) as raised:
        seal()

    assert f"({Path.cwd()}/keys/contact-guard.key: No such file or directory)" in str(raised.value)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"SIGNING_KEY": ""}, "is not set"),
        ({"SIGNING_KEY": "PRIVATE+KEY+a+00000000+AAAA"}, "SIGNING_KEY"),
        (
            {"SIGNING_KEY": "/nowhere/at/all"},
            r"neither a key nor a readable file \(No such file or directory\)",
        ),
        ({"SIGNING_KEY": "PRIVAT+KEY+nowhere.example+1"}, r"readable file \(No such file or directory\)"),
    ],
)
def test_without_a_usable_key_nothing_is_sealed(given: dict[str, str], error: str) -> None:
    rows.message(rows.talk())
    waiting = Pending.objects.count()

    with guard(**given), pytest.raises(ConfigurationError, match=error) as raised:
        seal()

    assert "nowhere" not in str(raised.value)  # it may be a mistyped secret
    assert Pending.objects.count() == waiting > 0


STORAGE = "crm_contact_guard.sealing.witnesses.StorageWitness"


@pytest.mark.parametrize(
    ("debug", "given", "level"),
    [
        (False, {"SIGNING_KEY": ""}, "crm_contact_guard.E007"),
        (False, {"SIGNING_KEY": "demo"}, "crm_contact_guard.E007"),
        (True, {"SIGNING_KEY": "demo"}, "crm_contact_guard.W005"),
        (False, {"SIGNING_KEY": keys.DEMO_KEY.to_text()}, "crm_contact_guard.E007"),
        (False, {"SIGNING_KEY": "/nowhere"}, "crm_contact_guard.E008"),
        (False, {"VERIFICATION_KEYS": ["a+b"]}, "crm_contact_guard.E008"),
        (False, {"WITNESSES": []}, "crm_contact_guard.W004"),
        (False, {"WITNESSES": [{"BACKEND": "no.such.Witness"}]}, "crm_contact_guard.E009"),
        (False, {"WITNESSES": [{"BACKEND": "pathlib.Path"}]}, "crm_contact_guard.E009"),
        (False, {"WITNESSES": [{"BACKEND": STORAGE, "OPTIONS": {"storage": "nowhere"}}]}, "crm_contact_guard.E009"),
        (False, {}, ""),
    ],
)
def test_checks_of_key_and_witnesses(debug: bool, given: dict[str, Any], level: str) -> None:
    from crm_contact_guard.checks import check_signing_key, check_witnesses

    with guard(**given), override_settings(DEBUG=debug):
        found = [*check_signing_key(None), *check_witnesses(None)]

    assert [str(message.id) for message in found] == ([level] if level else [])


def test_a_missing_head_or_an_altered_pending_row_stops_the_sealer() -> None:
    talk = rows.talk()
    rows.sealed_record(talk, runs=1)
    rows.message(talk)
    Pending.objects.update(leaf_hash=b"short")

    with pytest.raises(SealingRefused, match="pending row"):
        seal()
    TreeHead.objects.all().delete()
    with pytest.raises(CommandError, match="missing") as error:
        call_command("contact_guard_seal", stderr=StringIO())

    assert error.value.returncode == 1


if connection.vendor != "sqlite":  # on SQLite the second sealer waits at its first statement

    @pytest.mark.django_db(transaction=True)
    def test_two_concurrent_first_sealers_do_not_conflict() -> None:
        rows.message(rows.talk())
        rivals: list[Sealed] = []

        def rival_seals() -> None:
            try:
                rivals.append(seal())
            finally:
                connection.close()

        def let_the_rival_go_first(execute: Any, sql: str, *more: Any) -> Any:
            result = execute(sql, *more)
            if "treehead" in sql and "FOR UPDATE" in sql and not rivals:
                thread = threading.Thread(target=rival_seals)
                thread.start()
                thread.join()
            return result

        with connection.execute_wrapper(let_the_rival_go_first):
            ours = seal()

        assert [rival.size for rival in rivals] == [ours.size] == [TreeHead.objects.get().size]
        assert (rivals[0].rows, ours.rows) == (ours.size, 0)
        assert not verify().faults


def test_the_head_is_locked_before_anything_is_read() -> None:
    rows.message(rows.talk())
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        seal()

    touching = [query["sql"] for query in queries if "crm_contact_guard_" in query["sql"]]
    lock = "UPDATE" if connection.vendor == "sqlite" else "FOR UPDATE"
    assert lock in touching[0]
    assert "treehead" in touching[0]


def test_sealing_waits_behind_no_other_task() -> None:
    router = Celery("host", set_as_current=False, task_routes=CONTACT_GUARD_ROUTES).amqp.router
    queues = {name: router.route({}, name)["queue"].name for name in current_app.tasks if "contact_guard" in name}

    assert {name for name, queue in queues.items() if queue == "guard-seal"} == {tasks.seal.name, tasks.witness.name}
    assert {queues[task.name] for task in (tasks.inspect, tasks.deliver, tasks.sweep)} == {"guard"}
    assert {queues[task.name] for task in (tasks.sync_directory, tasks.reconcile, tasks.export, tasks.rehearse)} == {
        "guard-slow"
    }


def test_the_seal_task_is_scheduled_each_second_and_expires() -> None:
    rows.message(rows.talk())
    waiting = Pending.objects.count()

    entry = CONTACT_GUARD_SCHEDULE["contact-guard-seal"]

    assert entry["schedule"] == 1.0
    assert entry["options"]["expires"] <= 5
    assert tasks.seal() == waiting > 0
