"""Compare our tables in SQLite with what migrations create, using the definitions that SQLite stores as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.verification.schema.expected import Columns, Said, our_models, table_names

_SPACE: Final = re.compile(r"\s+")
#: The columns of an index, and an index condition that compares a column with a list.
_PLAIN: Final = re.compile(r"\((\"?\w+\"?( COLLATE \w+)?( ASC| DESC)?(, )?)+\)")
_LISTED: Final = re.compile(r"\"\w+\" IN \(('\w+'(, )?)+\)")
_NUMBER: Final = re.compile(r"int|bool|real", re.IGNORECASE)
_NAMED: Final = re.compile(r'^CONSTRAINT ("[^"]*"|\S+) ')


def faults(connection: BaseDatabaseWrapper) -> Iterator[Said]:
    """Yield the differences, table by table."""
    names = {name.lower() for name in table_names()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, name, tbl_name, sql FROM main.sqlite_master")
        rows = cursor.fetchall()
        cursor.execute("SELECT type, name, tbl_name, sql FROM temp.sqlite_master")
        temporary = cursor.fetchall()
    for kind, name, table, _ in temporary:
        if name.lower() in names or table.lower() in names:
            yield name, f"is a temporary {kind} in front of our tables"
    found = {name: sql for kind, name, _, sql in rows if kind == "table"}
    for kind, name, *_ in rows:
        if kind == "view" and name.lower() in names:
            yield name, "is not a plain table but a view: it can return different rows to different readers"
    for model in our_models():
        table = model._meta.db_table
        indexes = [(name, sql) for kind, name, on, sql in rows if kind == "index" and sql and on.lower() == table]
        yield from _indexes(table, indexes, [tuple(names) for names in model._meta.unique_together])
        if table in found:
            yield from _short_indexes(connection, table)
        if table in found:
            yield from _table(table, _parts(found[table]), _parts(_statement(connection, model)))
        elif table.lower() not in {name.lower() for kind, name, *_ in rows if kind == "view"}:
            yield table, "is missing"


def _statement(connection: BaseDatabaseWrapper, model: type[models.Model]) -> str:
    """Return the statement with which Django creates the table."""
    editor: Any = connection.SchemaEditorClass(connection, collect_sql=True)
    editor.deferred_sql = []
    return str(editor.table_sql(model)[0])


def _table(table: str, found: dict[str, str], wanted: dict[str, str]) -> Iterator[Said]:
    for name in wanted.keys() - found.keys():
        yield f"{table}{name}", f"is missing: {wanted[name]}"
    for name in found.keys() - wanted.keys():
        yield f"{table}{name}", f"is not one of ours and can refuse or alter rows: {found[name]}"
    for name in found.keys() & wanted.keys():
        if found[name] != wanted[name]:
            yield f"{table}{name}", f"is altered: {found[name]} instead of {wanted[name]}"


def _indexes(table: str, indexes: list[tuple[str, str]], unique: list[Columns]) -> Iterator[Said]:
    """Check indexes. Django creates one for ``unique_together``; other unique ones are in the table's definition."""
    wanted = {_columns(table, names): names for names in unique}
    for name, sql in indexes:
        text = _SPACE.sub(" ", sql)
        listed, _, condition = text[text.index("(") :].partition(" WHERE ")
        if text.upper().startswith("CREATE UNIQUE"):
            if condition or wanted.pop(listed, None) is None:
                yield f"{table}, index {name}", f"is not one of ours and can refuse rows: {text}"
        elif not _PLAIN.fullmatch(listed) or (condition and not _LISTED.fullmatch(condition)):
            yield f"{table}, index {name}", f"computes something for each row and can refuse it: {text}"
    for names in wanted.values():
        yield table, f"has lost its unique index on {', '.join(names)}: rows can be doubled"


def _short_indexes(connection: BaseDatabaseWrapper, table: str) -> Iterator[Said]:
    """Report indexes that lack rows of the table, which pages that use the index then don't show.

    An index lacks the rows that were added while it was detached. Counting with a condition takes 13 ns per row.
    Without a condition, SQLite would choose an index itself.
    """
    quoted = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.name, c.name, x.type"
            " FROM pragma_index_list(%s) i, pragma_index_info(i.name) c, pragma_table_info(%s) x"
            " WHERE NOT i.partial AND c.seqno = 0 AND x.name = c.name",
            [table, table],
        )
        indexes = cursor.fetchall()
        counts = ""
        for name, column, type_ in indexes:
            lowest = "-9e999" if _NUMBER.search(type_) else "''"
            by_index = f'FROM main.{quoted} INDEXED BY {connection.ops.quote_name(name)} WHERE "{column}"'
            counts += f", (SELECT count(*) {by_index} >= {lowest}) + (SELECT count(*) {by_index} IS NULL)"
        # Use a single statement, since rows may be added between two statements.
        cursor.execute(f"SELECT (SELECT count(*) FROM main.{quoted} NOT INDEXED){counts}")
        count, *found = cursor.fetchone()
        for (name, *_), number in zip(indexes, found, strict=True):
            if number != count:
                yield f"{table}, index {name}", f"finds {number} of {count} rows: run REINDEX"


def _columns(table: str, names: Columns) -> str:
    fields = next(model for model in our_models() if model._meta.db_table == table)._meta
    return "(" + ", ".join(f'"{fields.get_field(name).column}"' for name in names) + ")"  # type: ignore[union-attr]


def _parts(statement: str) -> dict[str, str]:
    """Return the definitions of columns (".name") and constraints, and the table options, with normalised spaces."""
    start, parts, depth, quoted, at = statement.index("(") + 1, list[str](), 0, "", 0
    piece = start
    for at in range(start, len(statement)):
        character = statement[at]
        if quoted:
            quoted = "" if character == quoted else quoted
        elif character in "\"'`":
            quoted = character
        elif character == "(":
            depth += 1
        elif character in "),":
            if depth == 0:
                parts.append(statement[piece:at])
                piece = at + 1
                if character == ")":
                    break
            elif character == ")":
                depth -= 1
    named = dict(_named(_SPACE.sub(" ", part).strip()) for part in parts)
    rest = _SPACE.sub(" ", statement[at + 1 :]).strip()
    return {**named, **({", options": rest} if rest else {})}


def _named(part: str) -> tuple[str, str]:
    text = _NAMED.sub("", part)
    if text != part or re.match(r"(UNIQUE|CHECK|FOREIGN KEY|PRIMARY KEY)\b", text):
        return f", constraint {text}", text
    return f".{text.split(' ')[0].strip(chr(34))}", text
