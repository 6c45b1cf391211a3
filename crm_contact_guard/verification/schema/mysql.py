"""Compare our tables in MariaDB or MySQL with what migrations create."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.verification.schema.expected import Said, Table, listed, tables

#: The server's names of types for which Django uses other names.
_TYPES: Final = {"bool": "tinyint", "integer": "int", "integer unsigned": "int unsigned", "double precision": "double"}
#: The server may append a display width to integer types.
_WIDTH: Final = re.compile(r"^(tinyint|smallint|int|bigint)\(\d+\)")

_TABLES: Final = (
    "SELECT table_name, table_type, engine, create_options, table_collation"
    " FROM information_schema.tables WHERE table_schema = DATABASE()"
)
_COLUMNS: Final = (
    "SELECT table_name, column_name, column_type, is_nullable, column_default, extra, generation_expression,"
    " collation_name FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY ordinal_position"
)
_CHECKS: Final = (
    "SELECT table_name, constraint_name, check_clause FROM information_schema.check_constraints"
    " WHERE constraint_schema = DATABASE()"
)
#: MySQL's list of checks lacks the table, but MySQL requires constraint names to be unique across tables.
_CHECKS_OF_MYSQL: Final = (
    "SELECT t.table_name, c.constraint_name, c.check_clause FROM information_schema.check_constraints c"
    " JOIN information_schema.table_constraints t ON t.constraint_schema = c.constraint_schema"
    " AND t.constraint_name = c.constraint_name AND t.constraint_type = 'CHECK' WHERE c.constraint_schema = DATABASE()"
)
_FOREIGN: Final = (
    "SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_name, k.referenced_column_name,"
    " k.referenced_table_schema = k.table_schema, r.update_rule, r.delete_rule"
    " FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r"
    " ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name"
    " AND r.table_name = k.table_name WHERE k.table_schema = DATABASE()"
)
_INDEXES: Final = (
    "SELECT table_name, index_name, non_unique, column_name, sub_part FROM information_schema.statistics"
    " WHERE table_schema = DATABASE() ORDER BY index_name, seq_in_index"
)

Found = dict[str, list[tuple[Any, ...]]]


def faults(connection: BaseDatabaseWrapper) -> Iterator[Said]:
    """Yield the differences, table by table."""
    expected = tables(connection)
    kinds, columns = _read(connection, _TABLES), _read(connection, _COLUMNS)
    yield from _kinds(kinds, expected)
    of_checks = _CHECKS if getattr(connection, "mysql_is_mariadb", True) else _CHECKS_OF_MYSQL
    checks, foreign, indexes = (_read(connection, statement) for statement in (of_checks, _FOREIGN, _INDEXES))
    for table in expected.values():
        kind, *_, collation = kinds.get(table.name, [("VIEW", None)])[0]
        if kind == "VIEW":
            continue
        yield from _columns(table, columns.get(table.name, []), collation)
        yield from _checks(connection, table, checks.get(table.name, []))
        yield from _foreign(table, foreign.get(table.name, []))
        yield from _indexes(table, indexes.get(table.name, []))


def notes(connection: BaseDatabaseWrapper) -> Iterator[Said]:
    """Yield objects that may belong to the host, but should be known."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE()")
        for (name,) in cursor.fetchall():
            yield f"event {name}", "runs SQL by a timetable"


def _read(connection: BaseDatabaseWrapper, statement: str) -> Found:
    found: Found = {}
    with connection.cursor() as cursor:
        cursor.execute(statement)
        for table, *rest in cursor.fetchall():
            found.setdefault(table, []).append(tuple(rest))
    return found


def _kinds(found: Found, expected: dict[str, Table]) -> Iterator[Said]:
    for name in expected:
        if name not in found:
            yield name, "is missing"
            continue
        kind, engine, options, _ = found[name][0]
        if kind not in ("BASE TABLE", "SYSTEM VERSIONED"):
            yield name, f"is not a plain table but a {kind.lower()}: it can return different rows to different readers"
        elif engine != "InnoDB":
            yield name, f"is stored by the engine {engine}, which may lose rows in a crash or refuse none back"
        if "partitioned" in (options or ""):
            yield name, "is partitioned: rows can be dropped with a partition"


def _columns(table: Table, rows: list[tuple[Any, ...]], usual: str | None) -> Iterator[Said]:
    found = {row[0]: row[1:] for row in rows}
    for column in table.columns.values():
        where = f"{table.name}.{column.name}"
        if column.name not in found:
            yield where, "is a missing column"
            continue
        type_, nullable, default, extra, generated, collation = found[column.name]
        wanted = column.type.lower().replace(" auto_increment", "")
        is_json = wanted == "json"
        wanted, type_ = _TYPES.get(wanted, wanted), _WIDTH.sub(r"\1", type_)
        others = {
            _TYPES.get(one, one) for one in (kind.lower().replace(" auto_increment", "") for kind in column.types)
        }
        if type_ not in {wanted, *others} and not (is_json and type_ == "longtext"):
            yield where, f"has the type {type_}, not {wanted}"
        if (nullable == "YES") is not column.null:
            yield where, "allows null" if nullable == "YES" else "refuses null"
        if generated:
            yield where, f"is generated ({generated}) instead of stored"
        elif not column.allows(None if default == "NULL" else default):
            yield where, "has lost its default" if default is None else f"has a default, {default}"
        if extra.lower() not in ("", "auto_increment" if column.numbered else "") and not generated:
            yield where, f"has a rule of its own: {extra}"
        exact = collation is None or collation.endswith("_bin") or (column.shared and collation == usual)
        if not exact and not is_json:
            yield where, f"has the collation {collation}: different texts can count as equal"
    for name in found.keys() - table.columns.keys():
        yield f"{table.name}.{name}", "is a column that is not one of ours"


def _checks(connection: BaseDatabaseWrapper, table: Table, rows: list[tuple[Any, ...]]) -> Iterator[Said]:
    clauses = {f"`{column}` >= 0": column for column in table.checks}
    json = {f"json_valid(`{column.name}`)" for column in table.columns.values() if column.type == "json"}
    for name, stored in rows:
        clause = stored.removeprefix("(").removesuffix(")") if stored.startswith("(") else stored
        if clause not in json and clauses.pop(clause, None) is None:
            yield f"{table.name}, constraint {name}", f"is not one of ours and can refuse rows: {clause}"
    for column in sorted(clauses.values()) if connection.features.supports_table_check_constraints else ():
        yield f"{table.name}.{column}", "has lost its check against negative numbers"


def _foreign(table: Table, rows: list[tuple[Any, ...]]) -> Iterator[Said]:
    foreign = set(table.foreign)
    for name, column, target, other, same_schema, update, delete in rows:
        where = f"{table.name}, constraint {name}"
        if same_schema and (column, target, other) in table.foreign:
            foreign.discard((column, target, other))
            if not {update, delete} <= {"RESTRICT", "NO ACTION"}:
                yield where, f"is altered: ON UPDATE {update} ON DELETE {delete}"
        else:
            yield where, f"is not one of ours and can refuse rows: {column} refers to {target}.{other}"
    for column, target, _ in sorted(foreign):
        yield f"{table.name}.{column}", f"has lost its foreign key to {target}"


def _indexes(table: Table, rows: list[tuple[Any, ...]]) -> Iterator[Said]:
    unique, found = set(table.unique), dict[str, list[tuple[str | None, Any]]]()
    for name, non_unique, column, part in rows:
        if not non_unique:
            found.setdefault(name, []).append((column, part))
    for name, parts in found.items():
        columns = tuple(str(column) for column, _ in parts)
        if columns in table.unique and not any(part for _, part in parts):
            unique.discard(columns)
        else:
            yield f"{table.name}, index {name}", f"is not one of ours and can refuse rows: unique on {listed(columns)}"
    for columns in sorted(unique):
        yield table.name, f"has lost its unique index on {listed(columns)}: rows can be doubled"
