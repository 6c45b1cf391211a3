"""Read recorded rows from SQLite, which stores a value of any type in any column.

Values are fetched as stored, and must have the type and format that the application writes. Text stored as a BLOB, or a
time with a "T", looks the same once it is formatted, but pages and filters read it differently.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.proof.canonical import FORMAT, OPEN, PERSONAL, RowKind
from crm_contact_guard.record.models import RECORDED_MODELS

#: Prefix that marks a value in a form that the application never stores. No genuine value begins with it.
ODD: Final = chr(0xDC80)
_OWN: Final = ("digests", "leaf_hash", "salt", "format")
#: Rows fetched at a time, few enough for the CPU's cache.
_CHUNK: Final = 256

Stored = tuple[Any, ...]


@contextmanager
def stored_types(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Make SQLite return text, even invalid UTF-8, as bytearray and BLOBs as bytes, so that they can be told apart."""
    connection.ensure_connection()
    before = connection.connection.text_factory
    connection.connection.text_factory = bytearray
    try:
        yield
    finally:
        connection.connection.text_factory = before


def fetch(connection: BaseDatabaseWrapper, kind: RowKind, ids: Iterable[bytes]) -> Iterator[Stored]:
    """Yield rows with these IDs: open values in leaf order, digests, leaf hash, salt, format and personal values."""
    # Inlined because drivers limit the number of parameters. This is safe, since the IDs are hex digits only.
    listed = "','".join([row_id.hex() for row_id in ids])
    with stored_types(connection), connection.cursor() as cursor:
        cursor.execute(f"{_select(kind)} WHERE id IN ('{listed}')", [])
        while chunk := cursor.fetchmany(_CHUNK):
            yield from chunk


@lru_cache
def _select(kind: RowKind) -> str:
    model = RECORDED_MODELS[kind]
    columns = [_field(kind, name).column for name in (*OPEN[kind], *_OWN, *PERSONAL[kind])]
    # Select expressions instead of columns, since sqlite3 would convert the values of columns declared as times.
    listed = ", ".join(f'+"{column}"' for column in columns)
    return f'SELECT {listed} FROM "{model._meta.db_table}"'


def _field(kind: RowKind, name: str) -> models.Field[Any, Any]:
    field: models.Field[Any, Any] = RECORDED_MODELS[kind]._meta.get_field(name)  # type: ignore[assignment]  # no relation back
    return field


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to read rows whose values have certain types.

    ``nulls`` and ``ids`` are positions of open values, ``present`` the positions of personal values that aren't null.
    ``lengths`` is a template for the lengths of the personal values, as they are hashed.
    """

    nulls: tuple[int, ...]
    ids: tuple[int, ...]
    present: tuple[int, ...]
    lengths: bytes


def parts(connection: BaseDatabaseWrapper, kind: RowKind, ids: Iterable[bytes]) -> Iterator[Stored]:
    """Yield ID, lines, ``recorded_at``, digests, leaf hash, salt, content and files of each row for ``hashed_rows``.

    The lines are None if a value has a type or format that the application never stores. This is one long function
    because it runs for millions of rows.
    """
    fields = [_field(kind, name) for name in OPEN[kind]]
    times = [at for at, field in enumerate(fields) if isinstance(field, models.DateTimeField)]
    count, recorded = len(fields), OPEN[kind].index("recorded_at")
    format_at = count + 3
    files = format_at + 1 + PERSONAL[kind].index("files") if "files" in PERSONAL[kind] else None
    make_plan, plans, dashed = _planner(kind), dict[tuple[type, ...], _Plan | None](), dict[bytes, bytes]()
    for row in fetch(connection, kind, ids):
        row_id, types = unhexlify(row[0]), tuple(map(type, row))
        if types not in plans:
            plans[types] = make_plan(types)
        plan = plans[types]
        if plan is None or row[format_at] != FORMAT:
            yield row_id, None, b"", b"", b"", None, None, None
            continue
        lines = list(row[:count])
        lines[0] = _dashed(lines[0])
        for at in plan.nulls:
            lines[at] = b"\t"
        for at in plan.ids:
            stored = bytes(lines[at])
            line = dashed.get(stored)
            if line is None:
                line = dashed[stored] = _dashed(stored)
            lines[at] = line
        for at in times:
            lines[at] = _moment(lines[at])
        if None in lines:
            yield row_id, None, b"", b"", b"", None, None, None
            continue
        content = None
        if plan.present:
            values = [row[at] for at in plan.present]
            content = b"".join((plan.lengths % tuple(map(len, values)), *values))
        listed = None if files is None or row[files] is None else row[files].decode(errors="replace")
        lines.append(b"")
        yield row_id, b"\n".join(lines), lines[recorded], row[count], row[count + 1], row[count + 2], content, listed


def _planner(kind: RowKind) -> Callable[[tuple[type, ...]], _Plan | None]:
    """Return a function that plans how to read values of given types. It returns None for types never stored."""
    names = (*OPEN[kind], *_OWN, *PERSONAL[kind])
    nullable = [_field(kind, name).null for name in names]
    own = dict(zip(_OWN, (bytes, bytes, bytes, int), strict=True))
    wanted = [own.get(name, bytearray) for name in names]
    count, personal = len(OPEN[kind]), len(names) - len(PERSONAL[kind])
    ids = [at for at in range(1, count) if is_id(_field(kind, names[at]))]

    def plan(types: tuple[type, ...]) -> _Plan | None:
        nulls = [found is type(None) for found in types]
        for found, type_, null, may_be_null in zip(types, wanted, nulls, nullable, strict=True):
            if found is not type_ and not (null and may_be_null):
                return None
        return _Plan(
            nulls=tuple(at for at in range(count) if nulls[at]),
            ids=tuple(at for at in ids if not nulls[at]),
            present=tuple(at for at in range(personal, len(names)) if not nulls[at]),
            lengths=b",".join([b"" if nulls[at] else b"%d" for at in range(personal, len(names))]) + b":",
        )

    return plan


def spelled(kind: RowKind, row: Stored) -> tuple[str, tuple[str | None, ...]]:
    """Return the open lines and the personal values of a fetched row, even if it is invalid, for a report."""
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
    # Not text, so it was forged. The mark makes it differ from text with the same characters.
    return ODD + (value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value))


def _moment(stored: Any) -> bytes | None:
    """Return a stored time as in a leaf; None if the application would have formatted it differently."""
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
