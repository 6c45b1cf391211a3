"""Compare the triggers installed in the database with ours, and find foreign ones on our tables.

Replacing a trigger with one that does nothing changes no existing row, so no hash detects it. The definitions are
therefore read from the database's catalogue. A trigger is identified by its table and name. A trigger that has one of
our names, but is on another table, is foreign.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.record import triggers
from crm_contact_guard.record.pinned import schema_of_tables

_TRIGGER: Final = re.compile(
    r"CREATE TRIGGER (?P<name>\w+) (?P<timing>BEFORE|AFTER) (?P<event>\w+) ON (?:\"[^ ]+\"\.)?(?P<table>\w+)"
    r"(?P<row> FOR EACH ROW)?(?: EXECUTE FUNCTION (?P<function>.+)\(\)| (?P<body>.+))\Z",
    re.DOTALL,
)
_FUNCTION: Final = re.compile(r"CREATE OR REPLACE FUNCTION (?P<name>.+?)\(\) .+? AS \$\$(?P<body>.+)\$\$\Z", re.DOTALL)
#: pg_trigger.tgtype
_BITS: Final = {"BEFORE": 2, "AFTER": 0, "INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}

#: Table and name of a trigger.
Key = tuple[str, str]
Definition = tuple[Any, ...]

_QUERIES: Final = {
    "sqlite": "SELECT tbl_name, name, sql FROM main.sqlite_master WHERE type = 'trigger'",
    # Raw values, compared in Python. A trigger must fire in ordinary sessions, without a condition, for every column,
    # and its function must be plain PL/pgSQL without settings of its own, in the schema of the table.
    "postgresql": (
        "SELECT c.relname, t.tgname, t.tgtype, p.prosrc, pg_catalog.ascii(t.tgenabled::pg_catalog.text),"
        " t.tgqual IS NULL, t.tgnargs, pg_catalog.cardinality(t.tgattr), t.tgdeferrable, l.lanname,"
        " p.proconfig IS NULL, p.prosecdef, p.pronamespace OPERATOR(pg_catalog.=) c.relnamespace"
        " FROM pg_catalog.pg_trigger t"
        " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) t.tgfoid"
        " JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang"
        " WHERE n.nspname OPERATOR(pg_catalog.=) %s::pg_catalog.name AND NOT t.tgisinternal"
    ),
    # Triggers in the order in which they fire.
    "mysql": (
        "SELECT event_object_table, trigger_name, action_timing, event_manipulation, action_statement"
        " FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY action_order"
    ),
}


def altered(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the names of our triggers that are missing, disabled or changed."""
    return compare(connection, ())[0]


def compare(connection: BaseDatabaseWrapper, tables: Collection[str]) -> tuple[set[str], list[Key]]:
    """Return the names of our altered triggers, and the foreign triggers on these tables."""
    expected, installed = _expected(connection), _installed(connection)
    intact = {name for (table, name), definition in expected.items() if installed.get((table, name)) == definition}
    foreign = [(table, name) for table, name in installed if table.lower() in tables and (table, name) not in expected]
    return triggers.expected(connection.vendor) - intact, foreign


def _expected(connection: BaseDatabaseWrapper) -> dict[Key, Definition]:
    """Return the definitions that ``triggers.install`` would create now, in the format of ``_installed``."""
    statements = triggers.statements(connection)
    if connection.vendor == "sqlite":
        return {(words[6], words[2]): (" ".join(words),) for words in (each.split(" ") for each in statements)}
    matches = [match for statement in statements if (match := _TRIGGER.match(statement))]
    if connection.vendor == "mysql":
        return {(match["table"], match["name"]): (match["timing"], match["event"], match["body"]) for match in matches}
    bodies = {match["name"]: match["body"] for statement in statements if (match := _FUNCTION.match(statement))}
    return {
        (match["table"], match["name"]): (
            bool(match["row"]) + _BITS[match["timing"]] + _BITS[match["event"]],
            bodies[match["function"]],
            *(True, 0, 0, False, "plpgsql", True, False, True),
        )
        for match in matches
    }


def _installed(connection: BaseDatabaseWrapper) -> dict[Key, Definition]:
    values = [schema_of_tables(connection)] if connection.vendor == "postgresql" else []
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES[connection.vendor], values)
        rows = cursor.fetchall()
        if connection.vendor != "postgresql":
            return {(table, name): tuple(rest) for table, name, *rest in rows}
        cursor.execute("SELECT pg_catalog.current_setting('session_replication_role')")
        # "O" triggers fire in ordinary sessions, "A" triggers always. A replica session fires no "O" triggers.
        firing = "A" if cursor.fetchone()[0] == "replica" else "AO"
    return {
        (table, name): (kind, body, *rest) if chr(enabled) in firing else ("disabled",)
        for table, name, kind, body, enabled, *rest in rows
    }
