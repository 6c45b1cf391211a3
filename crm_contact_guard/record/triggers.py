"""Database triggers that refuse changes to recorded rows and queue each new row for the sealer.

``install`` is idempotent and uses the columns that exist when it runs, so migrations may call it at any state.
``post_migrate`` calls it when a trigger is missing or changed, since SQLite silently drops triggers when it rebuilds a
table. The only UPDATE allowed sets personal fields and the salt to null while an ``ErasurePermit`` exists.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Final

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.proof.canonical import EVENT_PERSONAL, MESSAGE_PERSONAL
from crm_contact_guard.record.pinned import schema_of_tables

PREFIX: Final = "contact_guard"
PENDING: Final = "crm_contact_guard_pending"
PERMIT: Final = "crm_contact_guard_erasurepermit"

#: Recorded table → (row kind in ``Pending``, columns that an erasure may set to null).
RECORDED: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "crm_contact_guard_message": ("message", (*MESSAGE_PERSONAL, "salt")),
    "crm_contact_guard_event": ("event", (*EVENT_PERSONAL, "salt")),
}
REFUSAL: Final = "recorded rows can not be changed or deleted"


def expected(vendor: str) -> set[str]:
    """Return the names of the triggers that a database of this vendor ("postgresql", "sqlite", "mysql") must have."""
    actions = ["pending", "update", "delete", *{"postgresql": ["truncate"], "sqlite": ["replace"]}.get(vendor, [])]
    return {f"{PREFIX}_{kind}_{action}" for kind, _ in RECORDED.values() for action in actions}


def statements(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the statements that create all triggers on the existing recorded tables, in order."""
    result: list[str] = []
    build = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}[connection.vendor]
    place = schema_prefix(connection)
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for table, (kind, erasable) in RECORDED.items():
            if table not in tables:
                continue
            columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
            result += build(place, table, kind, columns, erasable)
    return result


def schema_prefix(connection: BaseDatabaseWrapper) -> str:
    """Return the PostgreSQL schema of our tables, quoted and with a trailing dot; empty if there is none.

    The trigger functions name the schema, so that neither another search path nor a temporary table of the same name
    can redirect them.
    """
    schema = schema_of_tables(connection) if connection.vendor == "postgresql" else None
    return "" if schema is None else f"{connection.ops.quote_name(schema)}."


def install(connection: BaseDatabaseWrapper) -> None:
    """Create or replace all triggers on the recorded tables that exist.

    This runs in a transaction if the database supports transactional DDL. Without one, a row inserted between DROP and
    CREATE would not be queued for sealing.
    """
    atomic = transaction.atomic(using=connection.alias) if connection.features.can_rollback_ddl else nullcontext()
    with atomic:
        remove(connection)
        creates = statements(connection)
        with connection.cursor() as cursor:
            for statement in creates:
                cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop all triggers, either before installing them again or to flush a test database."""
    place = schema_prefix(connection)
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for table, (kind, _) in RECORDED.items():
            if table in tables:
                for name in sorted(expected(connection.vendor)):
                    if name.startswith(f"{PREFIX}_{kind}_"):
                        on = f" ON {place}{table}" if connection.vendor == "postgresql" else ""
                        cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def uninstall(connection: BaseDatabaseWrapper) -> None:
    """Drop all triggers and, on PostgreSQL, their functions. Used by the reverse migration."""
    remove(connection)
    if connection.vendor == "postgresql":
        place = schema_prefix(connection)
        kinds = [kind for kind, _ in RECORDED.values()]
        functions = ["refuse", *(f"{kind}_{part}" for kind in kinds for part in ("note", "guard"))]
        with connection.cursor() as cursor:
            for function in functions:
                cursor.execute(f"DROP FUNCTION IF EXISTS {place}{PREFIX}_{function}()")


def _quote(vendor: str, name: str) -> str:
    return f"`{name}`" if vendor == "mysql" else f'"{name}"'


def _erasure(vendor: str, place: str, columns: list[str], erasable: tuple[str, ...]) -> str:
    """Return an SQL condition: the UPDATE only sets erasable columns to null, and a permit exists.

    Values are compared byte by byte, because a collation may ignore case, accents or trailing spaces.
    """
    same = {
        "sqlite": "{n} IS {o}",
        # Compares the stored bytes, nulls included.
        "postgresql": "pg_catalog.record_image_eq(ROW({n}), ROW({o}))",
        "mysql": "CAST({n} AS BINARY) <=> CAST({o} AS BINARY)",
    }[vendor]
    terms = []
    for name in columns:
        new, old = f"NEW.{_quote(vendor, name)}", f"OLD.{_quote(vendor, name)}"
        unchanged = same.format(n=new, o=old)
        terms.append(f"({unchanged} OR {new} IS NULL)" if name in erasable else unchanged)
    equal = "OPERATOR(pg_catalog.=)" if vendor == "postgresql" else "="
    terms.append(f"EXISTS (SELECT 1 FROM {place}{PERMIT} WHERE row_id {equal} OLD.id)")
    return " AND ".join(terms)


def _sqlite(place: str, table: str, kind: str, columns: list[str], erasable: tuple[str, ...]) -> list[str]:
    name = f"{PREFIX}_{kind}"
    # INSERT OR REPLACE deletes the old row without firing its DELETE trigger unless recursive_triggers is on,
    # so an existing ID is refused before the insert.
    return [
        f"CREATE TRIGGER {name}_update BEFORE UPDATE ON {table}"
        f" WHEN NOT ({_erasure('sqlite', place, columns, erasable)})"
        f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        f"CREATE TRIGGER {name}_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        f"CREATE TRIGGER {name}_replace BEFORE INSERT ON {table}"
        f" WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        f"CREATE TRIGGER {name}_pending AFTER INSERT ON {table} BEGIN"
        f" INSERT INTO {PENDING} (row_kind, row_id, leaf_hash) VALUES ('{kind}', NEW.id, NEW.leaf_hash); END",
    ]


def _postgresql(place: str, table: str, kind: str, columns: list[str], erasable: tuple[str, ...]) -> list[str]:
    name = f"{PREFIX}_{kind}"
    refuse, note, guard = f"{place}{PREFIX}_refuse()", f"{place}{name}_note()", f"{place}{name}_guard()"
    table = f"{place}{table}"
    return [
        f"CREATE OR REPLACE FUNCTION {refuse} RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        f"CREATE OR REPLACE FUNCTION {note} RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN INSERT INTO {place}{PENDING} (row_kind, row_id, leaf_hash)"
        f" VALUES ('{kind}', NEW.id, NEW.leaf_hash); RETURN NULL; END $$",
        f"CREATE OR REPLACE FUNCTION {guard} RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN IF {_erasure('postgresql', place, columns, erasable)} THEN RETURN NEW; END IF;"
        f" RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        f"CREATE TRIGGER {name}_update BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {guard}",
        f"CREATE TRIGGER {name}_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {refuse}",
        f"CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {refuse}",
        f"CREATE TRIGGER {name}_pending AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {note}",
    ]


def _mysql(place: str, table: str, kind: str, columns: list[str], erasable: tuple[str, ...]) -> list[str]:
    name = f"{PREFIX}_{kind}"
    signal = f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{REFUSAL}'"
    return [
        f"CREATE TRIGGER {name}_update BEFORE UPDATE ON {table} FOR EACH ROW BEGIN"
        f" IF NOT ({_erasure('mysql', place, columns, erasable)}) THEN {signal}; END IF; END",
        f"CREATE TRIGGER {name}_delete BEFORE DELETE ON {table} FOR EACH ROW {signal}",
        f"CREATE TRIGGER {name}_pending AFTER INSERT ON {table} FOR EACH ROW"
        f" INSERT INTO {PENDING} (row_kind, row_id, leaf_hash) VALUES ('{kind}', NEW.id, NEW.leaf_hash)",
    ]
