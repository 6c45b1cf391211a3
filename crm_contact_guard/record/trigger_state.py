"""Compare the triggers installed in the database with ours, and find other objects that interfere with recorded rows.

A trigger replaced by one that does nothing, a view in place of a table or a rule that discards inserts changes no
existing row, so no hash detects it. The definitions are therefore read from the database's catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.record import triggers

#: Tables that only this app writes to. Nothing may redirect or alter these writes.
WATCHED: Final = (
    *triggers.RECORDED,
    triggers.PENDING,
    triggers.PERMIT,
    "crm_contact_guard_treehead",
    "crm_contact_guard_seal",
    "crm_contact_guard_tile",
)
_TRIGGER: Final = re.compile(
    r"CREATE TRIGGER (?P<name>\w+) (?P<timing>BEFORE|AFTER) (?P<event>\w+) ON (?P<table>\w+)"
    r"(?P<row> FOR EACH ROW)?(?: EXECUTE FUNCTION (?P<function>\w+)\(\)| (?P<body>.+))\Z",
    re.DOTALL,
)
_FUNCTION: Final = re.compile(r"CREATE OR REPLACE FUNCTION (?P<name>\w+)\(\) .+? AS \$\$(?P<body>.+)\$\$\Z", re.DOTALL)
#: pg_trigger.tgtype
_BITS: Final = {"BEFORE": 2, "AFTER": 0, "INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
_LISTED: Final = ", ".join(f"'{table}'" for table in WATCHED)

Definition = tuple[Any, ...]


def altered(connection: BaseDatabaseWrapper) -> set[str]:
    """Names of our triggers that are missing, disabled or changed."""
    expected, installed = _expected(connection), _installed(connection)
    return {
        name
        for name in triggers.expected(connection.vendor)
        if name not in expected or installed.get(name) != expected[name]
    }


def _expected(connection: BaseDatabaseWrapper) -> dict[str, Definition]:
    """The definitions that ``triggers.install`` would create now, in the form of ``_installed``."""
    statements = triggers.statements(connection)
    if connection.vendor == "sqlite":
        return {statement.split()[2]: (statement.split()[6], statement) for statement in statements}
    matches = [match for statement in statements if (match := _TRIGGER.match(statement))]
    if connection.vendor == "mysql":
        return {match["name"]: (match["table"], match["timing"], match["event"], match["body"]) for match in matches}
    bodies = {match["name"]: match["body"] for statement in statements if (match := _FUNCTION.match(statement))}
    return {
        match["name"]: (
            match["table"],
            bool(match["row"]) + _BITS[match["timing"]] + _BITS[match["event"]],
            bodies[match["function"]],
        )
        for match in matches
    }


def _installed(connection: BaseDatabaseWrapper) -> dict[str, Definition]:
    queries = {
        "sqlite": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'",
        # Only triggers that fire in ordinary sessions, without a condition, for every column, and whose function is
        # plain PL/pgSQL without settings of its own.
        "postgresql": (
            "SELECT t.tgname, c.relname, t.tgtype, p.prosrc FROM pg_catalog.pg_trigger t"
            " JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid"
            " JOIN pg_catalog.pg_language l ON l.oid = p.prolang"
            " WHERE t.tgname LIKE 'contact_guard_%%' AND pg_catalog.pg_table_is_visible(c.oid) AND c.relkind = 'r'"
            " AND t.tgqual IS NULL AND t.tgnargs = 0 AND pg_catalog.cardinality(t.tgattr) = 0"
            " AND NOT t.tgdeferrable AND l.lanname = 'plpgsql' AND p.proconfig IS NULL AND NOT p.prosecdef AND"
            " (t.tgenabled = 'A' OR t.tgenabled = 'O'"
            " AND pg_catalog.current_setting('session_replication_role') <> 'replica')"
        ),
        "mysql": (
            "SELECT trigger_name, event_object_table, action_timing, event_manipulation, action_statement"
            " FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
        ),
    }
    with connection.cursor() as cursor:
        cursor.execute(queries[connection.vendor], [])
        return {row[0]: tuple(row[1:]) for row in cursor.fetchall()}


def obstacles(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str]]:
    """Name of each foreign trigger, rule, view or policy on the watched tables, and what is wrong with it."""
    checks = {"sqlite": _on_sqlite, "postgresql": _on_postgresql, "mysql": _on_mysql}[connection.vendor]
    expected = triggers.expected(connection.vendor)
    with connection.cursor() as cursor:
        for statement, why in checks():
            cursor.execute(statement, [])
            for (name,) in cursor.fetchall():
                if name not in expected:
                    yield str(name), why


_FOREIGN: Final = "is not one of ours: it can alter rows, or prevent them from being recorded"
_NO_TABLE: Final = "is not a plain table: it can return different rows to different readers"


def _on_sqlite() -> Iterator[tuple[str, str]]:
    yield (
        f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) IN ({_LISTED})",
        f"is a trigger that {_FOREIGN}",
    )
    yield f"SELECT name FROM sqlite_master WHERE type <> 'table' AND lower(name) IN ({_LISTED})", _NO_TABLE


def _on_postgresql() -> Iterator[tuple[str, str]]:
    ours = f"c.relname IN ({_LISTED}) AND pg_catalog.pg_table_is_visible(c.oid)"
    yield (
        f"SELECT t.tgname::text FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid"
        f" WHERE {ours} AND NOT t.tgisinternal",
        f"is a trigger that {_FOREIGN}",
    )
    yield f"SELECT c.relname::text FROM pg_catalog.pg_class c WHERE {ours} AND c.relkind <> 'r'", _NO_TABLE
    yield (
        f"SELECT r.rulename::text FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class"
        f" WHERE {ours} AND c.relkind = 'r'",
        f"is a rule that {_FOREIGN}",
    )
    yield (
        "SELECT child.relname::text FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhparent"
        f" JOIN pg_catalog.pg_class child ON child.oid = i.inhrelid WHERE {ours}",
        "inherits from a recorded table: its rows appear among the recorded ones but bypass the triggers",
    )
    yield (
        f"SELECT c.relname::text FROM pg_catalog.pg_class c WHERE {ours} AND c.relrowsecurity",
        "has row-level security: rows can be hidden from some readers",
    )
    # A schema that precedes pg_catalog can replace to_char, sha256 or || in every later query.
    yield (
        "SELECT s.name::text FROM pg_catalog.unnest(pg_catalog.current_schemas(true)) WITH ORDINALITY AS s(name, place)"
        " WHERE s.name <> 'pg_catalog' AND s.name NOT LIKE 'pg_temp%%' AND s.place < (SELECT o.place FROM"
        " pg_catalog.unnest(pg_catalog.current_schemas(true)) WITH ORDINALITY AS o(name, place)"
        " WHERE o.name = 'pg_catalog')",
        "is a schema that precedes pg_catalog in search_path: its functions replace the database's built-in ones",
    )


def _on_mysql() -> Iterator[tuple[str, str]]:
    yield (
        "SELECT trigger_name FROM information_schema.triggers"
        f" WHERE trigger_schema = DATABASE() AND event_object_table IN ({_LISTED})",
        f"is a trigger that {_FOREIGN}",
    )
    yield (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
        f" AND table_name IN ({_LISTED}) AND table_type NOT IN ('BASE TABLE', 'SYSTEM VERSIONED')",
        _NO_TABLE,
    )
