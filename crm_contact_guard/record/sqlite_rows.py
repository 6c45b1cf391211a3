"""Read recorded rows from SQLite, which stores a value of any type in any column.

Values are fetched as they are stored, and must have the type and spelling that the application writes: text that is
stored as a BLOB, or a time with a T, looks the same once it is spelled out, but pages and filters read it differently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.proof.canonical import OPEN, PERSONAL, RowKind
from crm_contact_guard.record.models import RECORDED_MODELS

#: Before a value that the application would not have stored like this: no genuine value begins with it.
ODD: Final = "\udc80"
_OWN: Final = ("digests", "leaf_hash", "salt", "format")
#: Rows fetched at a time: few enough for the CPU's cache.
_CHUNK: Final = 256

Stored = tuple[Any, ...]


@contextmanager
def stored_types(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Return text as bytearray (also if it isn't valid UTF-8) and BLOBs as bytes, so that they can be told apart."""
    connection.ensure_connection()
    before = connection.connection.text_factory
    connection.connection.text_factory = bytearray
    try:
        yield
    finally:
        connection.connection.text_factory = before


def fetch(connection: BaseDatabaseWrapper, kind: RowKind, ids: Iterable[bytes]) -> Iterator[Stored]:
    """Open values in leaf order, digests, leaf hash, salt, format and personal values of the rows with these ids."""
    # Inlined since drivers limit the number of parameters; safe since these are hex digits only.
    listed = "','".join([row_id.hex() for row_id in ids])
    with stored_types(connection), connection.cursor() as cursor:
        cursor.execute(f"{_select(kind)} WHERE id IN ('{listed}')", [])
        while chunk := cursor.fetchmany(_CHUNK):
            yield from chunk


@lru_cache
def _select(kind: RowKind) -> str:
    model = RECORDED_MODELS[kind]
    columns = [_field(kind, name).column for name in (*OPEN[kind], *_OWN, *PERSONAL[kind])]
    # An expression instead of a column, since sqlite3 would convert the values of columns that are declared as times.
    listed = ", ".join(f'+"{column}"' for column in columns)
    return f'SELECT {listed} FROM "{model._meta.db_table}"'


def _field(kind: RowKind, name: str) -> models.Field[Any, Any]:
    field: models.Field[Any, Any] = RECORDED_MODELS[kind]._meta.get_field(name)  # type: ignore[assignment]  # no relation back
    return field


def usual_types(kind: RowKind) -> Callable[[Stored], bool]:
    """A function that says whether all values of a fetched row have the types that the application stores."""
    nullable = [_field(kind, name).null for name in (*OPEN[kind], *_OWN, *PERSONAL[kind])]
    own = dict(zip(_OWN, (bytes, bytes, bytes, int), strict=True))
    wanted = [own.get(name, bytearray) for name in (*OPEN[kind], *_OWN, *PERSONAL[kind])]
    known: dict[tuple[type, ...], bool] = {}

    def usual(row: Stored) -> bool:
        types = tuple(map(type, row))
        answer = known.get(types)
        if answer is None:
            answer = known[types] = all(
                found is type_ or (found is type(None) and may_be_null)
                for found, type_, may_be_null in zip(types, wanted, nullable, strict=True)
            )
        return answer

    return usual


def line_maker(kind: RowKind) -> Callable[[Stored], list[bytes] | None]:
    """A function that returns the open values of a fetched row as in its leaf; None if a time is spelled differently.

    All values must have the usual types.
    """
    fields = [_field(kind, name) for name in OPEN[kind]]
    ids = [at for at, field in enumerate(fields) if at and is_id(field)]
    times = [at for at, field in enumerate(fields) if isinstance(field, models.DateTimeField)]
    count, cache = len(fields), dict[bytes, bytes]()

    def lines(row: Stored) -> list[bytes] | None:
        parts = [b"\t" if value is None else value for value in row[:count]]
        parts[0] = _dashed(parts[0])
        for at in ids:
            stored = bytes(parts[at])
            dashed = cache.get(stored)
            if dashed is None:
                dashed = cache[stored] = stored if stored == b"\t" else _dashed(stored)
            parts[at] = dashed
        for at in times:
            moment = _moment(parts[at])
            if moment is None:
                return None
            parts[at] = moment
        return parts

    return lines


def spelled(kind: RowKind, row: Stored) -> tuple[str, tuple[str | None, ...]]:
    """The open lines and the personal values of a fetched row, whatever it holds, for a report of what differs."""
    count = len(OPEN[kind])
    lines = [_open_text(_field(kind, name), value) for name, value in zip(OPEN[kind], row[:count], strict=True)]
    return "\n".join(lines) + "\n", tuple(map(_text, row[count + len(_OWN) :]))


def _open_text(field: models.Field[Any, Any], value: Any) -> str:
    text = _text(value)
    if text is None:
        return "\t"
    if isinstance(field, models.DateTimeField) and type(value) is bytearray:
        moment = _moment(value)
        return f"{ODD}{text}" if moment is None else moment.decode()
    return str(_dashed(text)) if is_id(field) and type(value) is bytearray else text


def _text(value: Any) -> str | None:
    if value is None or type(value) is bytearray:
        return None if value is None else value.decode("utf-8", "surrogateescape")
    # Not text, so it was forged: the mark makes it differ from a text of the same characters.
    return ODD + (value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value))


def _moment(stored: Any) -> bytes | None:
    """A stored time as in a leaf; None if the application would have spelled it differently."""
    if stored[10:11] != b" ":
        return None
    if len(stored) == 26:
        return b"%bT%bZ" % (stored[:10], stored[11:]) if stored[19:] != b".000000" else None
    return b"%bT%b.000000Z" % (stored[:10], stored[11:]) if len(stored) == 19 else None


def _dashed(stored: Any) -> Any:
    # The last slice is open-ended, so that appended characters are not lost.
    dash = "-" if isinstance(stored, str) else b"-"
    return dash.join((stored[:8], stored[8:12], stored[12:16], stored[16:20], stored[20:]))


def is_id(field: Any) -> bool:
    """Whether this field holds a UUID or refers to a row by UUID."""
    return isinstance(field.target_field if isinstance(field, models.ForeignKey) else field, models.UUIDField)
