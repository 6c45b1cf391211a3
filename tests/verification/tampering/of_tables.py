"""Manipulations of database objects: triggers, tables, rules, schemas, and values that drivers can't read."""

from __future__ import annotations

from typing import Any

from django.db import connection

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.record.models import Pending
from crm_contact_guard.sealing.models import Seal, Tile, TreeHead
from crm_contact_guard.sealing.tree import tile_id
from tests.verification.tampering.scene import (
    MANIPULATIONS,
    MESSAGE,
    Scene,
    Words,
    by_vendor,
    manipulation,
    named,
    past_the_triggers,
    run,
    update,
)

IDLE = "CREATE FUNCTION idle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN {value}; END $$"


_DROP = "DROP TRIGGER contact_guard_message_update"
_CHANGED = ["trigger contact_guard_message_update", "is missing, disabled or changed"]
_FOREIGN = ["helpful", "is a trigger that is not one of ours"]

_STATEMENTS: dict[str, Any] = {
    "empty_a_trigger": by_vendor(
        _CHANGED,
        sqlite=[_DROP, f"CREATE TRIGGER contact_guard_message_update BEFORE UPDATE ON {MESSAGE} BEGIN SELECT 1; END"],
        postgresql=[
            IDLE.format(value="NEW").replace("FUNCTION idle", "OR REPLACE FUNCTION contact_guard_message_guard")
        ],
        mysql=[
            _DROP,
            f"CREATE TRIGGER contact_guard_message_update BEFORE UPDATE ON {MESSAGE} FOR EACH ROW SET @idle = 1",
        ],
    ),
    "move_a_trigger_to_another_table": by_vendor(
        _CHANGED,
        undo="DROP TRIGGER IF EXISTS contact_guard_message_update",
        sqlite=[
            _DROP,
            "CREATE TRIGGER contact_guard_message_update BEFORE UPDATE ON crm_contact_guard_conversation"
            " BEGIN SELECT 1; END",
        ],
        postgresql=[
            f"{_DROP} ON {MESSAGE}",
            "CREATE TRIGGER contact_guard_message_update BEFORE UPDATE ON crm_contact_guard_conversation"
            " FOR EACH ROW EXECUTE FUNCTION contact_guard_message_guard()",
        ],
        mysql=[
            _DROP,
            "CREATE TRIGGER contact_guard_message_update BEFORE UPDATE ON crm_contact_guard_conversation"
            " FOR EACH ROW SET @idle = 1",
        ],
    ),
    "limit_a_trigger_to_a_column": by_vendor(
        _CHANGED,
        sqlite=[
            _DROP,
            f"CREATE TRIGGER contact_guard_message_update BEFORE UPDATE OF tenant ON {MESSAGE}"
            " BEGIN SELECT RAISE(ABORT, 'recorded rows can not be changed or deleted'); END",
        ],
        postgresql=[
            f"{_DROP} ON {MESSAGE}",
            f"CREATE TRIGGER contact_guard_message_update BEFORE UPDATE OF tenant ON {MESSAGE}"
            " FOR EACH ROW EXECUTE FUNCTION contact_guard_message_guard()",
        ],
    ),
    "make_a_trigger_never_fire": by_vendor(
        _CHANGED,
        postgresql=[
            f"{_DROP} ON {MESSAGE}",
            f"CREATE TRIGGER contact_guard_message_update BEFORE UPDATE ON {MESSAGE}"
            " FOR EACH ROW WHEN (false) EXECUTE FUNCTION contact_guard_message_guard()",
        ],
    ),
    "disable_a_trigger": by_vendor(
        _CHANGED, postgresql=[f"ALTER TABLE {MESSAGE} DISABLE TRIGGER contact_guard_message_update"]
    ),
    "let_a_trigger_fire_on_replicas_only": by_vendor(
        _CHANGED, postgresql=[f"ALTER TABLE {MESSAGE} ENABLE REPLICA TRIGGER contact_guard_message_update"]
    ),
    "run_as_a_replica": by_vendor(
        ["trigger contact_guard_event_pending", *_CHANGED], postgresql=["SET LOCAL session_replication_role = replica"]
    ),
    "discard_inserts_by_a_trigger": by_vendor(
        _FOREIGN,
        undo="DROP TRIGGER helpful",
        sqlite=[f"CREATE TRIGGER helpful BEFORE INSERT ON {MESSAGE} BEGIN SELECT RAISE(IGNORE); END"],
        postgresql=[
            IDLE.format(value="NULL"),
            f"CREATE TRIGGER helpful BEFORE INSERT ON {MESSAGE} FOR EACH ROW EXECUTE FUNCTION idle()",
        ],
        mysql=[f"CREATE TRIGGER helpful BEFORE INSERT ON {MESSAGE} FOR EACH ROW SET NEW.text = ''"],
    ),
    "discard_inserts_by_a_rule": by_vendor(
        ["helpful", "is a rule that is not one of ours"],
        postgresql=[f"CREATE RULE helpful AS ON INSERT TO {MESSAGE} DO INSTEAD NOTHING"],
    ),
    "put_a_view_over_the_table": by_vendor(
        [MESSAGE, "is not a plain table", "trigger contact_guard_message_update"],
        undo=f"DROP VIEW {MESSAGE};RENAME TABLE real_messages TO {MESSAGE}",
        sqlite=[
            f"ALTER TABLE {MESSAGE} RENAME TO real_messages",
            f"CREATE VIEW {MESSAGE} AS SELECT * FROM real_messages",
        ],
        postgresql=[
            f"ALTER TABLE {MESSAGE} RENAME TO crm_contact_guard_real",
            f"CREATE VIEW {MESSAGE} AS SELECT * FROM crm_contact_guard_real",
        ],
        mysql=[
            f"RENAME TABLE {MESSAGE} TO real_messages",
            f"CREATE VIEW {MESSAGE} AS SELECT * FROM real_messages",
        ],
    ),
    "hide_rows_by_a_policy": by_vendor(
        [MESSAGE, "has row-level security"], postgresql=[f"ALTER TABLE {MESSAGE} ENABLE ROW LEVEL SECURITY"]
    ),
    "shadow_built_in_functions": by_vendor(
        ["schema evil", "precedes pg_catalog in search_path"],
        postgresql=["CREATE SCHEMA evil", "SET LOCAL search_path = evil, pg_catalog, public"],
    ),
    "drop_a_column": by_vendor(
        ["seals", "could not be checked further"],
        undo="ALTER TABLE crm_contact_guard_seal RENAME COLUMN other TO checkpoint",
        mysql=["ALTER TABLE crm_contact_guard_seal RENAME COLUMN checkpoint TO other"],
    ),
}
MANIPULATIONS |= {name: act for name, act in _STATEMENTS.items() if act is not None}


if connection.vendor == "postgresql":

    @manipulation
    def double_a_row_in_a_child_table(scene: Scene) -> Words:
        """Inherited rows appear among the recorded ones, and the primary key does not cover them."""
        run(
            f"CREATE TABLE more () INHERITS ({MESSAGE})",
            f"INSERT INTO more SELECT * FROM ONLY {MESSAGE} WHERE id = '{scene.victim.pk}'",
        )
        return ["more", "inherits from crm_contact_guard_message", named(scene.victim), "is in the table 2 times"]

    @manipulation
    def write_a_time_that_no_driver_reads(scene: Scene) -> Words:
        with past_the_triggers():
            run(f"UPDATE {MESSAGE} SET occurred_at = 'infinity' WHERE id = '{scene.victim.pk}'")
        return [f"message {scene.victim.pk}", "differ from what was sealed"]

    @manipulation
    def seal_at_a_time_that_no_driver_reads(scene: Scene) -> Words:
        run("UPDATE crm_contact_guard_seal SET sealed_at = 'infinity' WHERE size = 16")
        return ["tiles", "could not be checked further"]

    @manipulation
    def add_a_row_of_the_year_ten_thousand(scene: Scene) -> Words:
        fresh = uuid7()
        with past_the_triggers():
            run(
                f"CREATE TEMP TABLE copied AS SELECT * FROM {MESSAGE} WHERE id = '{scene.victim.pk}'",
                f"UPDATE copied SET id = '{fresh}', occurred_at = '12000-01-01'",
                f"INSERT INTO {MESSAGE} SELECT * FROM copied",
            )
        return [f"message {fresh}", "has no leaf"]


@manipulation
def edit_the_format(scene: Scene) -> Words:
    update(scene.victim, format=2)
    return [named(scene.victim), "has format 2, but was sealed in format 1"]


@manipulation
def queue_a_row_of_an_unknown_kind(scene: Scene) -> Words:
    """The sealer would refuse to run."""
    ghost = uuid7()
    Pending.objects.create(row_kind="letter", row_id=ghost, leaf_hash=bytes(32))
    return [f"pending row {ghost}", "has an unknown kind"]


@manipulation
def add_a_tile(scene: Scene) -> Words:
    """Sealing would fail at its primary key once the tree reaches it."""
    Tile.objects.create(id=tile_id(0, 7), hashes=bytes(32))
    Tile.objects.create(id=tile_id(3, 0), hashes=bytes(32))
    return ["tile 0/007", "tile 3/000", "belongs to no leaf"]


@manipulation
def add_a_head(scene: Scene) -> Words:
    TreeHead.objects.create(id=0, origin="other", size=24, frontier=b"", sealed_at=None)
    return ["tree head", "is not the only one"]


@manipulation
def give_a_seal_a_negative_start(scene: Scene) -> Words:
    Seal.objects.filter(size=16).update(first_ms=-1, last_ms=1 << 62)
    return ["leaves 8 to 15", "the seal's index of row ids was altered"]


@manipulation
def add_a_seal_of_huge_size(scene: Scene) -> Words:
    seal = Seal.objects.get(size=24)
    seal.size = (1 << 62) + 5
    seal.save(force_insert=True)
    return ["the seal that lists their rows is missing"]


@manipulation
def seal_in_the_future(scene: Scene) -> Words:
    from datetime import timedelta

    last = Seal.objects.get(size=24)
    Seal.objects.filter(size=24).update(sealed_at=last.sealed_at + timedelta(days=365))
    return ["leaves 16 to 23", "have a sealing time in the future"]


@manipulation
def seal_before_the_previous_seal(scene: Scene) -> Words:
    from datetime import timedelta

    last = Seal.objects.get(size=24)
    Seal.objects.filter(size=24).update(sealed_at=last.sealed_at - timedelta(days=365))
    return ["leaves 16 to 23", "have an earlier sealing time than the previous seal"]
