"""``messages.jsonl`` and ``messages.csv``: exports that stream the record in constant memory.

A stream ends with the last row recorded before its export event, which is committed before the first byte.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import Any, Final, Literal

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.directory.addresses import name_of
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.exports.expressions import HexText, IdText, Joined, JsonString, TimeText
from crm_contact_guard.exports.masking import files_without_addresses, masked, without_addresses
from crm_contact_guard.exports.reading import Source
from crm_contact_guard.record.access import record_export
from crm_contact_guard.record.models import Message

Form = Literal["jsonl", "csv"]

#: Columns of an export, in order. Columns that may contain addresses come last, since Python masks their values.
COLUMNS: Final = (
    "id",
    "conversation",
    "customer",
    "employee",
    "direction",
    "channel",
    "kind",
    "occurred_at",
    "recorded_at",
    "carrier_id",
    "reply_to",
    "source",
    "subject",
    "text",
    "quoted",
    "leaf_hash",
    "details",
    "files",
    "from_name",
    "to_name",
    "from_address",
    "to_address",
)
_MASKED: Final = COLUMNS[-6:]
_IDS: Final = {
    "id": "id",
    "conversation": "conversation_id",
    "customer": "customer_id",
    "employee": "employee_id",
    "reply_to": "reply_to_id",
}
_TIMES: Final = ("occurred_at", "recorded_at")
_JSON: Final = ("details", "files")
_ADDRESSES: Final = ("from_address", "to_address")
_COMPUTED: Final = frozenset((*_IDS, *_TIMES, "leaf_hash"))
#: Columns that are never null and never contain characters that JSON escapes.
_NEVER_QUOTED: Final = frozenset(
    ("id", "conversation", "customer", "direction", "kind", "source", *_TIMES, "leaf_hash")
)

#: Text that a spreadsheet would run as a formula: it begins with one of these characters, possibly after whitespace.
#: Japanese Excel also accepts full-width characters. Text with a leading tab, CR or LF always matches, since
#: spreadsheets drop these characters.
_FORMULA = re.compile(r"[\t\r\n]|[\s\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]")

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Stream:
    """An export: its content type, a file name and the content in chunks."""

    content_type: str
    file_name: str
    chunks: Iterator[bytes]


def stream_open(
    *,
    viewer: Employee,
    form: Form,
    lookups: Mapping[str, Any],
    filters: Mapping[str, str],
    unmask: bool = False,
    bom: bool = False,
) -> Stream:
    """Record the export, then return all messages that the viewer may read and that match ``lookups``.

    The messages are in the order described in ``Source``. ``filters`` are recorded with the export. Raises NotPermitted
    if the viewer requests ``unmask`` without permission.
    """
    if unmask and not permissions.may_unmask(viewer):
        raise NotPermitted(_("You may not see unmasked addresses."))
    recorded = dict(filters) | ({"unmask": "true"} if unmask else {})
    event = record_export(viewer=viewer, form=f"messages.{form}", filters=recorded)
    source = _source(viewer, {**lookups, "recorded_at__lte": event.recorded_at})
    stamp = event.recorded_at.strftime("%Y%m%dT%H%M%SZ")
    if form == "csv":
        chunks = csv_chunks(source, unmask=unmask, bom=bom)
        return Stream(content_type="text/csv; charset=utf-8", file_name=f"messages-{stamp}.csv", chunks=chunks)
    return Stream(
        content_type="application/jsonl; charset=utf-8",
        file_name=f"messages-{stamp}.jsonl",
        chunks=jsonl_chunks(source, unmask=unmask),
    )


def _source(viewer: Employee, lookups: Mapping[str, Any]) -> Source:
    """Return the messages to read. If the viewer may read only part of the record, they are read by conversation."""
    if permissions.sees_all(viewer):
        return Source(rows=permissions.messages(viewer).filter(**lookups))
    talks = permissions.conversations(viewer)
    if "conversation_id" in lookups:
        talks = talks.filter(pk=lookups["conversation_id"])
    return Source(rows=Message.objects.filter(tenant=viewer.tenant, **lookups), talks=talks)


def jsonl_chunks(source: Source, *, unmask: bool = False) -> Iterator[bytes]:
    """Yield one JSON object per line with ``COLUMNS``. The database builds all but the masked columns."""
    parts: list[Any] = ["{"]
    for name in COLUMNS[: -len(_MASKED)]:
        parts.append(("" if name == "id" else ",") + f'"{name}":')
        if name in _NEVER_QUOTED:
            parts += ['"', _expression(name), '"']
        else:
            parts.append(JsonString(_expression(name)))

    def shape(rows: QuerySet[Message]) -> QuerySet[Message, Any]:
        return rows.annotate(line=Joined(*parts)).values_list("line", "channel", *_MASKED)

    @lru_cache(maxsize=8192)
    def text(name: str, channel: str, value: str) -> str:
        return json.dumps(value if unmask else _masked(name, channel, value), ensure_ascii=False)

    def member(name: str, channel: str, value: str | None, own: Sequence[str | None]) -> str:
        if value is None:
            return f',"{name}":null'
        if name in _JSON:
            return f',"{name}":{value if unmask else _masked(name, channel, value, own)}'
        return f',"{name}":{text(name, channel, value)}'

    # A line begins with {"id":"…", so the query needs no separate column for the ID.
    for batch in source.batches(shape, last_id=lambda row: str(row[0])[7:43]):
        yield "".join(
            line
            + "".join(member(name, channel, value, values[-2:]) for name, value in zip(_MASKED, values, strict=True))
            + "}\n"
            for line, channel, *values in batch
        ).encode()


def _masked(name: str, channel: str, value: str, own: Sequence[str | None] = ()) -> str:
    """Return a column's value with its addresses masked; JSON stays valid. ``own`` contains the message's addresses."""
    if name in _ADDRESSES:
        return masked(channel, value)
    if name in _JSON:
        read = json.loads(value)
        hidden = files_without_addresses(read) if name == "files" else without_addresses(read, channel, own)
        return json.dumps(hidden, ensure_ascii=False, separators=(",", ":"))
    return name_of(value)


def csv_chunks(source: Source, *, unmask: bool = False, bom: bool = False) -> Iterator[bytes]:
    """Yield CSV (RFC 4180) with the header ``COLUMNS``. An apostrophe escapes text that a spreadsheet would run."""
    yield (BOM if bom else b"") + _csv([COLUMNS])
    computed = {f"{name}_as_text": _expression(name) for name in COLUMNS if name in _COMPUTED}
    names = [f"{name}_as_text" if name in _COMPUTED else name for name in COLUMNS]
    channel, at = COLUMNS.index("channel"), len(COLUMNS) - len(_MASKED)

    def shape(rows: QuerySet[Message]) -> QuerySet[Message, Any]:
        return rows.annotate(**computed).values_list(*names)

    for batch in source.batches(shape, last_id=lambda row: str(row[0])):
        if unmask:
            yield _csv(batch)
        else:
            yield _csv(
                (
                    *row[:at],
                    *(
                        value and _masked(name, row[channel], value, row[-2:])
                        for name, value in zip(_MASKED, row[at:], strict=True)
                    ),
                )
                for row in batch
            )


def defused(text: str) -> str:
    """Return ``text`` escaped so that no spreadsheet runs it as a formula."""
    # Most text begins with a letter or digit. The pattern is needed only for the rest.
    return f"'{text}" if not text[:1].isalnum() and _FORMULA.match(text) else text


def _csv(rows: Iterable[Sequence[str | None]]) -> bytes:
    out = StringIO()
    csv.writer(out).writerows([[defused(cell) if cell else "" for cell in row] for row in rows])
    return out.getvalue().encode()


def _expression(name: str) -> Any:
    """Return the expression for a column's exported text."""
    if name in _TIMES:
        return TimeText(F(name))
    if name in _IDS:
        return IdText(F(_IDS[name]))
    return HexText(F(name)) if name == "leaf_hash" else F(name)
