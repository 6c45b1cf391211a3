"""Check triggers, table definitions, and objects that could take the place of a table or function.

Altering these changes no row, so no hash detects it. But rows can then be refused, altered before they are recorded, or
shown only to some readers.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.record import trigger_state
from crm_contact_guard.record.pinned import pinned, schema_of_tables
from crm_contact_guard.verification.report import Report
from crm_contact_guard.verification.schema import mysql, postgresql, shadows, sqlite
from crm_contact_guard.verification.schema.expected import Said, table_names


def check(using: str, report: Report) -> None:
    """Report altered or foreign triggers, tables that differ from what migrations create, and shadowing objects."""
    triggers, faults = altered(using)
    for name in sorted(triggers):
        report.add(f"trigger {name}", "is missing, disabled or changed: recorded rows can be altered")
    for name, why in faults:
        report.add(name, why)
    report.notes.extend(notes(using))


def altered(using: str) -> tuple[set[str], list[Said]]:
    """Return the names of our altered triggers, and everything else that differs from what our migrations create."""
    connection = connections[using]
    triggers, foreign = trigger_state.compare(connection, table_names())
    why = "is a trigger that is not one of ours on {}: it can alter rows, or prevent them from being recorded"
    faults = [(name, why.format(table)) for table, name in foreign]
    if connection.vendor == "postgresql":
        faults += _on_postgresql(connection)
    else:
        faults += {"mysql": mysql, "sqlite": sqlite}[connection.vendor].faults(connection)
    return triggers, faults


def notes(using: str) -> Iterator[Said]:
    """Yield objects that may belong to the host, but should be known."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        path = _path(connection)
        with pinned(using):
            yield from list(shadows.notes(connection, path))
    elif connection.vendor == "mysql":
        yield from mysql.notes(connection)


def _on_postgresql(connection: BaseDatabaseWrapper) -> Iterator[Said]:
    schema = schema_of_tables(connection)
    path = _path(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_catalog.pg_class c"
            " WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()"
        )
        temporary = {str(name) for (name,) in cursor.fetchall()}
    for name in sorted(temporary.intersection(table_names())):
        yield name, "is a temporary table in front of ours"
    if schema is None:
        return
    for place, name in _in_front(connection, path[: path.index(schema)]):
        yield f"{place}.{name}", "is in front of our table of that name: the application reads this one"
    with pinned(connection.alias):
        yield from [*postgresql.faults(connection, schema), *shadows.faults(connection, path)]


def _path(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the schemas in which this session looks up unqualified names, including the implicit ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.current_schemas(true)::pg_catalog.text[]")
        return [str(name) for name in cursor.fetchone()[0]]


def _in_front(connection: BaseDatabaseWrapper, schemas: list[str]) -> list[tuple[str, str]]:
    """Return tables, views and similar objects in these schemas that have the names of our tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
            " WHERE n.nspname OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.name[])"
            " AND c.relname OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.name[])"
            " AND NOT n.oid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()",
            [schemas, table_names()],
        )
        return [(str(schema), str(name)) for schema, name in cursor.fetchall()]
