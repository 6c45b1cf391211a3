"""Find values in the tables of working state that the application can't read, or reads differently from how they look.

Recorded rows are compared with their leaves instead. On SQLite, any column accepts a value of any type. PostgreSQL
accepts BC dates and infinite times; MariaDB accepts a day zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import connections, models

from crm_contact_guard.record.models import RECORDED_MODELS
from crm_contact_guard.record.sqlite_rows import is_id, stored_types
from crm_contact_guard.verification.report import Report
from crm_contact_guard.verification.schema.expected import our_models

_SHOWN: Final = 20
_NOT_HEX: Final = "length({c}) <> 32 OR {c} GLOB '*[^0-9a-f]*'"
_NOT_A_TIME: Final = (
    "length({c}) NOT IN (19, 26)"
    " OR {c} NOT GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]*'"
    " OR (length({c}) = 26 AND substr({c}, 20) NOT GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')"
)


def check(using: str, report: Report) -> None:
    """Report values that the application would not have written. Call this within ``pinned``."""
    for model in our_models():
        if model not in RECORDED_MODELS.values():
            _check(using, model, report)


def _check(using: str, model: type[models.Model], report: Report) -> None:
    connection = connections[using]
    name = connection.ops.quote_name
    odd = [(field, condition) for field in model._meta.local_concrete_fields if (condition := _odd(connection, field))]
    if not odd:
        return
    key = model._meta.pk
    which = " ".join(f"WHEN {condition} THEN {at}" for at, (_, condition) in enumerate(odd))
    with stored_types(connection) if connection.vendor == "sqlite" else nullcontext(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {name(str(key.column))}, CASE {which} END FROM {name(model._meta.db_table)}"
            f" WHERE {' OR '.join(f'({condition})' for _, condition in odd)} LIMIT {_SHOWN}"
        )
        for row, at in cursor.fetchall():
            where = f"{model._meta.model_name} {_shown(key, row)}"
            report.add(where, f"{odd[at][0].column} holds a value that the application would not have written")


def _odd(connection: Any, field: models.Field[Any, Any]) -> str:
    """Return an SQL condition for values that the application would not have written; empty if there can't be any."""
    column = connection.ops.quote_name(str(field.column))
    plain = field.target_field if isinstance(field, models.ForeignKey) else field
    conditions = {"sqlite": _on_sqlite, "postgresql": _on_postgresql, "mysql": _on_mysql}[connection.vendor](plain)
    odd = " OR ".join(condition.format(c=column) for condition in conditions)
    return f"{column} IS NOT NULL AND ({odd})" if odd else ""


def _on_postgresql(field: Any) -> Iterator[str]:
    if isinstance(field, models.DateTimeField):
        yield "NOT {c} BETWEEN '0001-01-02 00:00:00+00'::timestamptz AND '9999-12-30 00:00:00+00'::timestamptz"
    elif isinstance(field, models.FloatField):
        yield "{c} IN ('NaN', 'Infinity', '-Infinity')"


def _on_mysql(field: Any) -> Iterator[str]:
    if isinstance(field, models.DateTimeField):
        # A date with a zero day, month or year is read as None.
        yield "YEAR({c}) = 0 OR MONTH({c}) = 0 OR DAYOFMONTH({c}) = 0"
    elif isinstance(field, models.BooleanField):
        yield "{c} NOT IN (0, 1)"


def _on_sqlite(field: Any) -> Iterator[str]:
    if isinstance(field, models.BooleanField):
        yield "typeof({c}) <> 'integer' OR {c} NOT IN (0, 1)"
    elif isinstance(field, models.IntegerField):
        yield "typeof({c}) <> 'integer'"
    elif isinstance(field, models.FloatField):
        yield "typeof({c}) <> 'real' OR abs({c}) > 1e308"
    elif isinstance(field, models.BinaryField):
        yield "typeof({c}) <> 'blob'"
    else:
        yield "typeof({c}) <> 'text'"
    if is_id(field):
        yield _NOT_HEX
    elif isinstance(field, models.DateTimeField):
        yield _NOT_A_TIME
    elif isinstance(field, models.JSONField):
        yield "NOT json_valid({c})"


def _shown(key: Any, value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes | bytearray) else value
    try:
        return str(key.to_python(text))
    except (ValidationError, ValueError):
        return str(text)
