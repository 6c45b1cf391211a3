"""``messages.jsonl`` and ``messages.csv``: exports that stream the record in constant memory.

A stream ends with the last row recorded before its export event, which is committed before the first byte. Its last
line tells the number of rows and the digest, so that a stream that was cut is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.conf import settings
from crm_contact_guard.directory.addresses import name_of
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPossible
from crm_contact_guard.exports import cells
from crm_contact_guard.exports.expressions import HexText, IdText, Joined, JsonString, TimeText
from crm_contact_guard.exports.masking import (
    Own,
    files_without_addresses,
    id_without_addresses,
    json_without_addresses,
    masked,
    own_addresses,
)
from crm_contact_guard.exports.reading import Chunk, Form, Source
from crm_contact_guard.record.access import record_export, unmask_reason
from crm_contact_guard.record.models import Message

FormName = Literal["jsonl", "csv"]

#: Columns that never contain characters that JSON or CSV escapes. The database joins them, since that is fastest.
_PLAIN: Final = {
    "id": IdText(F("id")),
    "conversation": IdText(F("conversation_id")),
    "customer": IdText(F("customer_id")),
    "employee": IdText(F("employee_id")),
    "direction": F("direction"),
    "kind": F("kind"),
    "occurred_at": TimeText(F("occurred_at")),
    "recorded_at": TimeText(F("recorded_at")),
    "reply_to": IdText(F("reply_to_id")),
    "source": F("source"),
    "leaf_hash": HexText(F("leaf_hash")),
}
_NULLABLE: Final = ("employee", "reply_to")
_TEXTS: Final = ("subject", "text", "quoted")
_JSON: Final = ("details", "files")
_PEOPLE: Final = ("from_name", "to_name", "from_address", "to_address")
#: Columns that are selected one by one after the plain ones. Python escapes them and masks addresses.
_OTHERS: Final = ("carrier_id", *_TEXTS, *_JSON, "channel", *_PEOPLE)
#: Columns of an export, in order.
COLUMNS: Final = (*_PLAIN, *_OTHERS)

#: Memory of about 5 MB.
_MOST_KNOWN: Final = 10_000
BOM = b"\xef\xbb\xbf"
_encoded = json.encoder.encode_basestring


@dataclass(frozen=True, kw_only=True)
class Stream:
    """An export: its content type, a file name and the content in chunks."""

    content_type: str
    file_name: str
    chunks: Iterator[bytes]


def stream_open(
    *,
    viewer: Employee,
    form: FormName,
    lookups: Mapping[str, Any],
    filters: Mapping[str, str],
    after: UUID | None = None,
    unmask: bool = False,
    reason: str = "",
    bom: bool = False,
) -> Stream:
    """Record the export, then return all messages that the viewer may read and that match ``lookups``.

    The messages are in the order described in ``Source``, and begin with the one that follows the message ``after``.
    ``filters`` are recorded with the export. Raises InvalidMessage (field ``after``) if the viewer may not read the
    message ``after``. With ``unmask``, raises NotPermitted if the viewer may not, and InvalidMessage without a
    ``reason``.
    """
    why = unmask_reason(viewer, reason) if unmask else None
    if unmask and settings.UNMASK_APPROVAL:
        raise NotPossible(_("A second person must approve each unmasking, so a stream can't contain full addresses."))
    beginning = _beginning(viewer, after)
    more = ({"unmask": "true"} if unmask else {}) | ({"after": str(after)} if after is not None else {})
    event = record_export(viewer=viewer, form=f"messages.{form}", filters={**filters, **more}, reason=why)
    source = _source(viewer, {**lookups, "recorded_at__lte": event.recorded_at}, beginning)
    stamp = event.recorded_at.strftime("%Y%m%dT%H%M%SZ")
    chunks = (jsonl_chunks if form == "jsonl" else csv_chunks)(source, unmask=unmask)
    head = b"" if form == "jsonl" else (BOM if bom else b"") + ",".join(COLUMNS).encode() + b"\r\n"
    return Stream(
        content_type={"jsonl": "application/jsonl", "csv": "text/csv"}[form] + "; charset=utf-8",
        file_name=f"messages-{stamp}.{form}",
        chunks=_with_end(head, chunks, {"jsonl": _jsonl_end, "csv": _csv_end}[form]),
    )


def _beginning(viewer: Employee, after: UUID | None) -> Q:
    """Return the condition for the rows that follow the message ``after`` in the order of ``Source``."""
    if after is None:
        return Q()
    message = permissions.messages(viewer).filter(pk=after).first()
    if message is None:
        raise InvalidMessage(_("There is no such message."), field="after")
    if permissions.sees_all(viewer):
        return Q(pk__gt=after)
    talk = message.conversation_id
    return Q(conversation_id__gte=talk) & (Q(conversation_id__gt=talk) | Q(pk__gt=after))


def _source(viewer: Employee, lookups: Mapping[str, Any], beginning: Q) -> Source:
    """Return the messages to read. If the viewer may read only part of the record, they are read by conversation."""
    if permissions.sees_all(viewer):
        return Source(rows=permissions.messages(viewer).filter(beginning, **lookups))
    talks = permissions.conversations(viewer)
    if "conversation_id" in lookups:
        talks = talks.filter(pk=lookups["conversation_id"])
    return Source(rows=Message.objects.filter(beginning, tenant=viewer.tenant, **lookups), talks=talks)


def _with_end(head: bytes, chunks: Iterator[Chunk], end: Callable[[int, str, str], str]) -> Iterator[bytes]:
    """Yield ``head``, the content, and a last line with the number of rows and the SHA-256 of all bytes before it."""
    digest, rows, last = hashlib.sha256(head), 0, ""
    if head:
        yield head
    for chunk in chunks:
        digest.update(chunk.content)
        rows, last = rows + chunk.rows, chunk.last
        yield chunk.content
    yield end(rows, digest.hexdigest(), last).encode()


def _jsonl_end(rows: int, digest: str, last: str) -> str:
    return json.dumps({"end": {"rows": rows, "sha256": digest, "last": last or None}}, separators=(",", ":")) + "\n"


def _csv_end(rows: int, digest: str, last: str) -> str:
    # As many cells as every line has. No ID begins with this character, so that the line isn't taken for a message.
    told = ("#end", f"rows={rows}", f"sha256={digest}", f"last={last}")
    return cells.line((*told, *[""] * (len(COLUMNS) - len(told))))


def jsonl_chunks(source: Source, *, unmask: bool = False) -> Iterator[Chunk]:
    """Yield one JSON object per line with ``COLUMNS``."""
    parts: list[Any] = ["{"]
    for name, value in _PLAIN.items():
        parts.append(("" if name == "id" else ",") + f'"{name}":')
        parts += [JsonString(value)] if name in _NULLABLE else ['"', value, '"']

    def end(channel: str, *people: str | None) -> str:
        told = ",".join(f'"{name}":{_json(value)}' for name, value in zip(_PEOPLE, people, strict=True))
        return f',"channel":{_encoded(channel)},{told}}}\n'

    shown = _Shown(end, unmask=unmask)

    def encode(rows: list[Any]) -> str:
        return "".join(
            f'{plain},"carrier_id":{_encoded(carrier_id)},"subject":{_json(subject)},"text":{_json(text)}'
            f',"quoted":{_json(quoted)},"details":{details or "null"},"files":{files or "null"}{people}'
            for plain, carrier_id, subject, text, quoted, details, files, people in shown.rows(rows)
        )

    # A line begins with {"id":"…", so the query needs no separate column for the ID.
    return source.chunks(Form(shape=_shape(parts), last_id=lambda row: str(row[0])[7:43], encode=encode))


def csv_chunks(source: Source, *, unmask: bool = False) -> Iterator[Chunk]:
    """Yield CSV (RFC 4180) with ``COLUMNS``, without a header. An apostrophe escapes what a spreadsheet would run."""
    parts: list[Any] = [part for value in _PLAIN.values() for part in (",", value)][1:]

    def end(*people: str | None) -> str:
        return "," + cells.line(people)

    shown = _Shown(end, unmask=unmask)

    def encode(rows: list[Any]) -> str:
        cell = cells.cell
        return "".join(
            f"{plain},{cell(carrier_id)},{cell(subject)},{cell(text)},{cell(quoted)},{cell(details)},{cell(files)}{people}"
            for plain, carrier_id, subject, text, quoted, details, files, people in shown.rows(rows)
        )

    return source.chunks(Form(shape=_shape(parts), last_id=lambda row: str(row[0])[:36], encode=encode))


class _Shown:
    """The columns before ``channel`` with their addresses masked, then the rest of the line, as ``end`` writes it."""

    def __init__(self, end: Callable[..., str], *, unmask: bool) -> None:
        self._end, self._unmask = end, unmask
        #: By the last columns: few people write many messages.
        self._known: dict[tuple[Any, ...], tuple[str, Own]] = {}

    def rows(self, rows: list[Any]) -> Iterator[tuple[Any, ...]]:
        known = self._known
        for plain, carrier_id, subject, text, quoted, details, files, *last in rows:
            people = tuple(last)
            told, own = known.get(people) or self._learnt(people)
            if not self._unmask:
                if own and carrier_id:
                    carrier_id = id_without_addresses(carrier_id, people[0], own)  # noqa: PLW2901
                if details:
                    details = json_without_addresses(details, people[0], own)  # noqa: PLW2901
                if files:
                    files = _files(files)  # noqa: PLW2901
            yield plain, carrier_id, subject, text, quoted, details, files, told

    def _learnt(self, people: tuple[Any, ...]) -> tuple[str, Own]:
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        if self._unmask:
            found: tuple[str, Own] = self._end(*people), ()
        else:
            found = self._end(*_hidden(*people)), own_addresses(people[-2:])
        self._known[people] = found
        return found


def _files(text: str) -> str:
    return json.dumps(files_without_addresses(json.loads(text)), ensure_ascii=False, separators=(",", ":"))


def _shape(parts: list[Any]) -> Callable[[QuerySet[Message]], QuerySet[Message, Any]]:
    return lambda rows: rows.annotate(plain=Joined(*parts)).values_list("plain", *_OTHERS)


def _json(value: str | None) -> str:
    return "null" if value is None else _encoded(value)


def _hidden(channel: str, *people: str | None) -> tuple[str | None, ...]:
    """Return the channel and ``_PEOPLE`` with the addresses masked."""
    *names, sender, receiver = people
    addresses = (address and masked(channel, address) for address in (sender, receiver))
    return (channel, *(name and name_of(name) for name in names), *addresses)
