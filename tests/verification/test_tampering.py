"""An attacker with control of the database can change anything; verification reports what was changed, and where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection, transaction

from crm_contact_guard.installation.settings_look import database_items
from crm_contact_guard.record import hashed_rows
from crm_contact_guard.sealing.models import Seal
from crm_contact_guard.sealing.sealer import SealingRefused, seal
from crm_contact_guard.verification import whole_record
from crm_contact_guard.verification.whole_record import Report
from tests.record import rows
from tests.verification.tampering import MANIPULATIONS, Scene, delete, needs_database
from tests.verification.tampering.of_shadows import shadow_everything
from tests.verification.tampering.scene import past_the_triggers, run

pytestmark = needs_database


@pytest.fixture
def scene() -> Iterator[Scene]:
    talk = rows.talk()
    scene = Scene(talk, rows.sealed_record(talk))
    yield scene
    # SQLite refuses to put a recorded row back.
    with past_the_triggers() if scene.undo and connection.vendor == "sqlite" else nullcontext():
        with connection.cursor() as cursor:
            for statement in scene.undo:
                cursor.execute(statement)


def verify(**options: Any) -> Report:
    return whole_record.verify(**options)


#: The check inside PostgreSQL does not read files, as its help says, and has other names for its parts.
DIFFERENT = {"definition_store_canonical_json_as_jsonb", "drop_an_attachment", "seal_at_a_time_that_no_driver_reads"}
IN_DATABASE = {
    name
    for name in set(MANIPULATIONS) - DIFFERENT
    if connection.vendor == "postgresql" and not name.endswith("_of_a_file")
}


def _beyond_slices() -> set[str]:
    """Changes of rows, which are alike on every database: CI makes all of them on SQLite, each third elsewhere."""
    alike = ("of_rows", "of_seals", "of_shown", "of_values")
    names = sorted(name for name, act in MANIPULATIONS.items() if act.__module__.rpartition(".")[2] in alike)
    return set(names) - set(names[::3])


BEYOND_SLICES = _beyond_slices()
#: With how many of the manipulations CI makes shadows too.
SHADOWED_IN_SLICE = set(sorted(IN_DATABASE)[::6])


def test_the_scene_holds(scene: Scene) -> None:
    for in_database in (False, True) if connection.vendor == "postgresql" else (False,):
        assert verify(in_database=in_database).holds


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.beyond_slice] if name in BEYOND_SLICES else [])
        for name in sorted(MANIPULATIONS)
    ],
)
def test_each_manipulation_is_reported_and_located(scene: Scene, name: str, request: pytest.FixtureRequest) -> None:
    """On PostgreSQL, neither the check inside the database nor shadows change the report."""
    words = MANIPULATIONS[name](scene)
    report = verify()

    faults = "\n".join(map(str, report.faults))
    assert not report.holds
    assert [word for word in words if word not in faults] == [], faults
    if name in IN_DATABASE:
        assert set(verify(in_database=True).faults) == set(report.faults)
    if name in (SHADOWED_IN_SLICE if request.config.getoption("--slice") else IN_DATABASE):
        with transaction.atomic():
            shadow_everything()
            for in_database in (False, True):
                assert set(report.faults) <= set(verify(in_database=in_database).faults)
            transaction.set_rollback(True)


if connection.vendor == "postgresql":
    NOTED = {
        "event trigger watch": [
            "CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$",
            "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch()",
        ],
        "role postgres, search_path=other, public": ["ALTER ROLE postgres SET search_path = other, public"],
        "operator public.-(integer[], integer)": ["CREATE EXTENSION intarray"],
        "function public.convert_to(text, text)": [
            "CREATE EXTENSION citext",
            "CREATE FUNCTION convert_to(text, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT ''::bytea $$",
            "ALTER EXTENSION citext ADD FUNCTION convert_to(text, text)",
        ],
    }

    @pytest.mark.parametrize("name", NOTED)
    def test_what_may_be_the_hosts_own_is_noted(scene: Scene, name: str) -> None:
        run("SET CONSTRAINTS ALL IMMEDIATE", *NOTED[name])

        report = verify()

        assert report.holds, report.faults
        assert name in [noted for noted, _ in report.notes]

    def test_plain_indexes_of_the_host_are_no_faults(scene: Scene) -> None:
        run(
            "SET CONSTRAINTS ALL IMMEDIATE",
            "CREATE EXTENSION pg_trgm",
            "CREATE INDEX ours_by_sender ON crm_contact_guard_message USING hash (from_address)",
            "CREATE INDEX ours_by_text ON crm_contact_guard_message USING gin (text gin_trgm_ops)",
            "CREATE INDEX ours_by_time ON crm_contact_guard_message (occurred_at) INCLUDE (channel)",
        )

        assert verify().holds

    @pytest.mark.parametrize("in_database", [False, True])
    @pytest.mark.parametrize("pooled", [False, True])
    def test_verification_works_with_psycopg_2(
        scene: Scene, monkeypatch: pytest.MonkeyPatch, in_database: bool, pooled: bool
    ) -> None:
        """Forces the server-side cursor that psycopg 2 needs, whichever driver is installed."""
        monkeypatch.setattr(hashed_rows, "_has_psycopg3", lambda: False)
        monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", pooled)
        assert verify(in_database=in_database).holds

        words = MANIPULATIONS["edit_text_with_fresh_digests"](scene)

        faults = "\n".join(map(str, verify(in_database=in_database).faults))
        assert [word for word in words if word not in faults] == []


def test_the_fast_check_accepts_intact_rows(scene: Scene) -> None:
    """If it rejected them, the slow check would still accept them and only the speed would suffer."""
    for kind, found in (("message", scene.messages), ("event", [scene.event(row) for row in scene.messages])):
        wanted = {row.pk.bytes: (bytes(row.leaf_hash), b"", b"~") for row in found}
        assert hashed_rows.compare("default", kind, wanted, {}) == set()  # type: ignore[arg-type]


def test_there_are_enough_manipulations() -> None:
    assert len(MANIPULATIONS) >= {"postgresql": 250, "sqlite": 190, "mysql": 130}[connection.vendor]


def test_the_system_check_and_the_installation_check_name_an_altered_table(scene: Scene) -> None:
    call_command("check", databases=["default"], stdout=StringIO(), stderr=StringIO())

    words = MANIPULATIONS["definition_allow_each_value_once"](scene)

    with pytest.raises(SystemCheckError) as error:
        call_command("check", databases=["default"], stdout=StringIO(), stderr=StringIO())
    assert "crm_contact_guard.E006" in str(error.value)
    said = [f"{item.level} {item.says}" for item in database_items()]
    name, *rest = words[0].split(": ")
    for text in (str(error.value), "\n".join(said)):
        assert [word for word in (name, *rest, *words[1:]) if word not in text] == [], text


def test_a_deleted_conversation_with_messages_is_reported(scene: Scene) -> None:
    delete(scene.talk)

    faults = "\n".join(map(str, verify().faults))
    scene.talk.save(force_insert=True)

    assert f"message {scene.victim.pk}: refers to conversation {scene.talk.pk}, which is missing" in faults


def test_the_sealer_does_not_extend_a_forged_tree(scene: Scene) -> None:
    MANIPULATIONS["edit_text_and_its_leaf_in_the_tile"](scene)
    rows.message(scene.talk)

    with pytest.raises(SealingRefused, match="differs from the last signed checkpoint"):
        seal()

    assert Seal.objects.count() == 3


def test_the_command_prints_all_faults_and_exits_with_1(scene: Scene) -> None:
    MANIPULATIONS["swap_two_texts"](scene)
    out = StringIO()

    with pytest.raises(CommandError, match=r"^2 do not hold\. The first: message .*: text differs") as error:
        call_command("contact_guard_verify", stdout=out)

    assert error.value.returncode == 1
    assert out.getvalue().count("DOES NOT HOLD") == 2


if connection.vendor == "sqlite":
    #: SQLite stores a value of any type in any column, and any bytes as text.
    ODD = (
        "text = CAST(X'ff' AS TEXT)",
        "text = X'ff00'",
        "channel = CAST(X'ff41' AS TEXT)",
        "files = CAST(X'fe' AS TEXT)",
        "digests = 'abc'",
        "digests = 5",
        "leaf_hash = 'abc'",
        "salt = 'abc'",
        "recorded_at = X'00'",
        "recorded_at = 5",
        "occurred_at = CAST(X'ff' AS TEXT)",
        "conversation_id = 'x'",
    )

    @pytest.mark.parametrize("change", ODD)
    def test_values_of_the_wrong_type_are_reported_and_do_not_abort_the_check(scene: Scene, change: str) -> None:
        with past_the_triggers(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE crm_contact_guard_message SET {change} WHERE id = '{scene.victim.pk.hex}'")

        faults = "\n".join(map(str, verify().faults))
        with past_the_triggers(), connection.cursor() as cursor:
            # Django checks foreign keys after each test.
            cursor.execute("UPDATE crm_contact_guard_message SET conversation_id = %s", [scene.talk.pk.hex])

        assert f"message {scene.victim.pk}" in faults

    ODD_ELSEWHERE = (
        "tile SET hashes = 'abc'",
        "tile SET hashes = 5",
        "seal SET rows = 'abc'",
        "seal SET checkpoint = X'ff'",
        "seal SET checkpoint = CAST(X'ff' AS TEXT)",
        "seal SET sealed_at = 'yesterday'",
        "seal SET first_ms = 'a'",
        "seal SET last_ms = X'ff'",
        "treehead SET frontier = 'abc'",
        "treehead SET size = 'x'",
        "treehead SET origin = CAST(X'ff' AS TEXT)",
        "event SET digests = 'abc'",
        "event SET data = CAST(X'ff' AS TEXT)",
    )

    @pytest.mark.parametrize("change", ODD_ELSEWHERE)
    def test_unreadable_values_in_the_tree_are_reported(scene: Scene, change: str) -> None:
        with past_the_triggers(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE crm_contact_guard_{change}")

        assert not verify().holds
