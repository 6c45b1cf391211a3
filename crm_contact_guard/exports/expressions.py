"""Database expressions that return record columns as text for exports, on PostgreSQL, SQLite and MariaDB/MySQL.

The database builds this text two to three times as fast as Python would encode objects
(benchmarks/bench_export_stream.py).
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, TextField
from django.db.models.sql.compiler import SQLCompiler

Sql = tuple[str, Any]


class _Text(Func):
    """One column as text. ``templates`` contains the SQL for each database vendor, with ``$`` for the column."""

    arity = 1
    output_field = TextField()
    templates: dict[str, str]

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *args: Any, **kwargs: Any) -> Sql:
        column, params = compiler.compile(self.source_expressions[0])
        template = self.templates[self.dialect(connection)]
        if params:
            # The template may contain the column several times, so parameters would have to be repeated.
            raise ValueError(f"{type(self).__name__} takes a plain column without parameters")
        return template.replace("$", column), ()

    def dialect(self, connection: BaseDatabaseWrapper) -> str:
        return connection.vendor


class TimeText(_Text):
    """A time in the format of the leaf: ``2026-11-24T09:12:00.123456Z``.

    Percent signs are doubled, since the driver formats the statement.
    """

    templates = {
        "postgresql": """to_char($ AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
        "sqlite": "(replace(substr($, 1, 19), ' ', 'T') || '.' || substr(substr($, 21) || '000000', 1, 6) || 'Z')",
        "mysql": "DATE_FORMAT($, '%%Y-%%m-%%dT%%H:%%i:%%s.%%fZ')",
    }


_HEX = ("1, 8", "9, 4", "13, 4", "17, 4", "21, 12")


class IdText(_Text):
    """An ID in the format of the leaf: lower-case hex with dashes."""

    templates = {
        "postgresql": "$::text",
        "native": "CAST($ AS CHAR(36))",
        "sqlite": "(" + " || '-' || ".join(f"substr($, {part})" for part in _HEX) + ")",
        "mysql": "CONCAT(" + ", '-', ".join(f"SUBSTR($, {part})" for part in _HEX) + ")",
    }

    def dialect(self, connection: BaseDatabaseWrapper) -> str:
        native = connection.vendor == "mysql" and connection.features.has_native_uuid_field
        return "native" if native else connection.vendor


class JsonString(_Text):
    """Text as a JSON string, NULL as ``null``."""

    templates = {
        "postgresql": "coalesce(to_json($)::text, 'null')",
        "sqlite": "json_quote($)",
        "mysql": "COALESCE(JSON_QUOTE($), 'null')",
    }


class HexText(_Text):
    """Bytes as lower-case hex."""

    templates = {
        "postgresql": "encode($, 'hex')",
        "sqlite": "lower(hex($))",
        "mysql": "LOWER(HEX($))",
    }


class Joined(Func):
    """Concatenated text. NULL counts as empty.

    A plain ``str`` is a constant. It must be ASCII, without quotes or percent signs.
    """

    output_field = TextField()

    def __init__(self, *parts: str | Func | F) -> None:
        super().__init__(*(_Constant(part) if isinstance(part, str) else part for part in parts))

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *args: Any, **kwargs: Any) -> Sql:
        texts = [compiler.compile(part)[0] for part in self.source_expressions]
        if connection.vendor == "sqlite":
            # concat() is newer than the oldest SQLite that Django supports.
            return "(" + " || ".join(f"coalesce({sql}, '')" for sql in texts) + ")", ()
        if connection.vendor == "mysql":
            return "CONCAT(" + ", ".join(f"COALESCE({sql}, '')" for sql in texts) + ")", ()
        return "concat(" + ", ".join(texts) + ")", ()


class _Constant(Func):
    """A literal in the statement, because PostgreSQL can't determine the type of a parameter of ``concat``."""

    output_field = TextField()

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *args: Any, **kwargs: Any) -> Sql:
        return f"'{self.text}'", ()
