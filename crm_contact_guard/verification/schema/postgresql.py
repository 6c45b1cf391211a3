"""Compare our tables in PostgreSQL with what migrations create. Call ``faults`` within ``pinned``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.verification.schema.expected import Column, Columns, Said, Table, listed, tables

#: PostgreSQL's names of types for which Django uses shorter names.
_TYPES: Final = ((re.compile(r"^varchar\b"), "character varying"), (re.compile(r", "), ","))
_KINDS: Final = {"v": "a view", "m": "a materialised view", "f": "a foreign table", "p": "a partitioned table"}
_OURS: Final = "n.nspname = %s AND c.relname = ANY(%s)"
_TABLES: Final = "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
_NAMES: Final = (
    "(SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest({keys}) WITH ORDINALITY AS k(number, place)"
    " JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = k.number)"
)

_RELATIONS: Final = f"""
SELECT c.relname, c.relkind::text, c.relpersistence::text, c.relrowsecurity, am.amname,
 (SELECT string_agg(p.polname::text, ', ') FROM pg_policy p WHERE p.polrelid = c.oid),
 (SELECT string_agg(r.rulename::text, ', ') FROM pg_rewrite r WHERE r.ev_class = c.oid AND c.relkind = 'r'),
 (SELECT string_agg(i.inhrelid::regclass::text, ', ') FROM pg_inherits i WHERE i.inhparent = c.oid),
 EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhrelid = c.oid),
 (SELECT string_agg(t.tgname::text, ', ') FROM pg_trigger t
  WHERE t.tgrelid = c.oid AND t.tgisinternal AND t.tgenabled NOT IN ('O', 'A'))
FROM {_TABLES} LEFT JOIN pg_am am ON am.oid = c.relam WHERE {_OURS} AND c.relkind NOT IN ('i', 'I', 'S')"""

_COLUMNS: Final = f"""
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
 a.attidentity::text, a.attgenerated::text, CASE WHEN a.attcollation <> t.typcollation THEN
 (SELECT l.collname::text FROM pg_collation l WHERE l.oid = a.attcollation) END,
 (SELECT s.seqincrement <> 1 OR s.seqcycle OR s.seqmax < CASE s.seqtypid WHEN 'bigint'::regtype
  THEN 9223372036854775807 ELSE 32767 END
  FROM pg_depend e JOIN pg_sequence s ON s.seqrelid = e.objid WHERE e.classid = 'pg_class'::regclass
  AND e.refclassid = 'pg_class'::regclass AND e.refobjid = c.oid AND e.refobjsubid = a.attnum LIMIT 1)
FROM {_TABLES} JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE {_OURS} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""

_CONSTRAINTS: Final = f"""
SELECT c.relname, o.conname, o.contype::text, pg_get_constraintdef(o.oid), o.convalidated,
 o.confdeltype::text || o.confupdtype::text, o.condeferred, f.relname, fn.nspname = n.nspname,
 {_NAMES.format(keys="o.conkey", table="o.conrelid")}, {_NAMES.format(keys="o.confkey", table="o.confrelid")}
FROM {_TABLES} JOIN pg_constraint o ON o.conrelid = c.oid LEFT JOIN pg_class f ON f.oid = o.confrelid
LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
WHERE {_OURS} AND o.contype IN ('c', 'f', 'x') ORDER BY o.conname"""

_INDEXES: Final = f"""
SELECT c.relname, x.relname, i.indisunique, i.indisvalid AND i.indisready AND i.indislive AND i.indimmediate,
 pg_get_expr(i.indpred, i.indrelid), i.indexprs IS NOT NULL, pg_get_indexdef(i.indexrelid), am.amname,
 {_NAMES.format(keys="i.indkey[0:i.indnkeyatts - 1]", table="i.indrelid")},
 EXISTS (SELECT 1 FROM unnest(i.indkey::int2[], i.indcollation::oid[]) AS k(number, collation_)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number WHERE k.collation_ <> a.attcollation
  AND k.collation_ <> 0),
 EXISTS (SELECT 1 FROM unnest(i.indclass) AS k(class) JOIN pg_opclass p ON p.oid = k.class
  WHERE p.opcnamespace <> 'pg_catalog'::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.deptype = 'e'
  AND e.classid = 'pg_opclass'::regclass AND e.objid = p.oid))
FROM {_TABLES} JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am am ON am.oid = x.relam WHERE {_OURS} ORDER BY x.relname"""


def faults(connection: BaseDatabaseWrapper, schema: str) -> Iterator[Said]:
    """Yield the differences, table by table."""
    expected = tables(connection)
    yield from _relations(_read(connection, schema, expected, _RELATIONS), expected)
    for name, rows in _read(connection, schema, expected, _COLUMNS).items():
        yield from _columns(expected[name], rows)
    constraints = _read(connection, schema, expected, _CONSTRAINTS)
    indexes = _read(connection, schema, expected, _INDEXES)
    for table in expected.values():
        yield from _constraints(table, constraints.get(table.name, []))
        yield from _indexes(table, indexes.get(table.name, []))


def _read(
    connection: BaseDatabaseWrapper, schema: str, expected: dict[str, Table], statement: str
) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, [schema, list(expected)])
        for table, *rest in cursor.fetchall():
            found.setdefault(table, []).append(tuple(rest))
    return found


def _relations(found: dict[str, list[tuple[Any, ...]]], expected: dict[str, Table]) -> Iterator[Said]:
    for name in expected:
        if name not in found:
            yield name, "is missing from the schema of the other tables"
            continue
        kind, persistence, secured, method, policies, rules, children, inherits, disabled = found[name][0]
        if kind != "r":
            yield name, f"is not a plain table but {_KINDS.get(kind, kind)}: it can return different rows to readers"
        if persistence != "p":
            yield name, "is UNLOGGED or temporary: a crash of the server empties it"
        if method not in (None, "heap"):
            yield name, f"is stored by the access method {method}"
        if secured:
            yield name, "has row-level security: rows can be hidden from some readers"
        if policies:
            yield name, f"has row-level policies ({policies}): rows can be hidden from some readers"
        for rule in (rules or "").split(", ") if rules else ():
            yield (
                rule,
                f"is a rule that is not one of ours on {name}: it can alter rows, or prevent them from being recorded",
            )
        for child in (children or "").split(", ") if children else ():
            yield child, f"inherits from {name}: its rows appear there but bypass the triggers"
        if inherits:
            yield name, "inherits from another table, in which its rows appear"
        if disabled:
            yield name, f"has foreign keys that are not enforced (disabled triggers {disabled})"


def _columns(table: Table, rows: list[tuple[Any, ...]]) -> Iterator[Said]:
    found = {row[0]: row[1:] for row in rows}
    for column in table.columns.values():
        where = f"{table.name}.{column.name}"
        if column.name not in found:
            yield where, "is a missing column"
            continue
        type_, required, default, identity, generated, collation, sequence = found[column.name]
        wanted = column.type
        for pattern, long in _TYPES:
            wanted = pattern.sub(long, wanted)
        if type_ not in (wanted, *column.types):
            yield where, f"has the type {type_}, not {wanted}"
        if required is column.null:
            yield where, "refuses null" if required else "allows null"
        yield from _values(column, where, default, identity, generated)
        if collation is not None:
            yield where, f"has the collation {collation}: different texts can count as equal"
        if sequence:
            yield where, "is numbered by a sequence with other limits: inserts can fail"
    for name in found.keys() - table.columns.keys():
        yield f"{table.name}.{name}", "is a column that is not one of ours"


def _values(column: Column, where: str, default: str | None, identity: str, generated: str) -> Iterator[Said]:
    if generated:
        yield where, f"is generated ({default}) instead of stored"
    elif not column.allows(default) and not (column.numbered and str(default).startswith("nextval(")):
        yield where, "has lost its default" if default is None else f"has a default, {default}"
    if bool(identity) and not column.numbered:
        yield where, "is an identity column"
    if column.numbered and not identity and default is None:
        yield where, "is not numbered any more: inserts fail"


def _constraints(table: Table, rows: list[tuple[Any, ...]]) -> Iterator[Said]:
    foreign, checks = set(table.foreign), set(table.checks)
    for name, kind, definition, validated, actions, deferred, target, same_schema, own, others in rows:
        where = f"{table.name}, constraint {name}"
        if kind == "f" and len(own) == 1 and same_schema and (own[0], target, others[0]) in foreign:
            foreign.discard((own[0], target, others[0]))
            if actions != "aa" or not deferred or not validated:
                yield where, f"is altered: {definition}"
        elif (
            kind == "c" and len(own or ()) == 1 and own[0] in checks and validated and _not_negative(own[0], definition)
        ):
            checks.discard(own[0])
        else:
            yield where, f"is not one of ours and can refuse rows: {definition}"
    for column, target, _ in sorted(foreign):
        yield f"{table.name}.{column}", f"has lost its foreign key to {target}"
    for column in sorted(checks):
        yield f"{table.name}.{column}", "has lost its check against negative numbers"


def _not_negative(column: str, definition: str) -> bool:
    return definition.replace('"', "") == f"CHECK (({column} >= 0))"


def _indexes(table: Table, rows: list[tuple[Any, ...]]) -> Iterator[Said]:
    unique = set(table.unique)
    for name, is_unique, usable, condition, computed, definition, method, keys, collated, strange in rows:
        where, columns = f"{table.name}, index {name}", tuple(keys or ())
        if is_unique:
            if columns in unique and usable and condition is None and not computed and not collated and not strange:
                unique.discard(columns)
            elif columns not in table.unique or usable:
                yield where, f"is not one of ours and can refuse rows: {definition}"
        elif strange or (condition is not None and not _is_ours(table, name, condition)) or computed:
            yield where, f"computes something for each row and can refuse it: {definition}"
        elif method == "btree" and _is_long(table, columns):
            yield where, f"refuses long values: {definition}"
    for columns in sorted(unique):
        yield table.name, f"has lost its unique index on {listed(columns)}: rows can be doubled"


def _is_ours(table: Table, name: str, condition: str) -> bool:
    """Whether a partial index is ours and its condition only compares a column with a list, or with one value."""
    plain = re.fullmatch(
        r"\(\(\w+\)::text = (ANY \(\(ARRAY\[('\w+'::character varying(, )?)+\]\)::text\[\]\)|'\w+'::text)\)", condition
    )
    return name in table.partial and plain is not None


def _is_long(table: Table, columns: Columns) -> bool:
    return any(table.columns[name].type in ("text", "bytea") for name in columns if name in table.columns)
