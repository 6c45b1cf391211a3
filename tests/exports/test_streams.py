"""``messages.jsonl`` and ``messages.csv``: correct rows for any text, in constant memory, recorded beforehand."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import tracemalloc
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.test.utils import CaptureQueriesContext

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.exports import reading
from crm_contact_guard.exports.reading import Chunk, Source
from crm_contact_guard.exports.streams import COLUMNS, Stream, csv_chunks, jsonl_chunks, stream_open
from crm_contact_guard.proof import canonical
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_event, record_message
from tests import factories

pytestmark = pytest.mark.django_db

EVERYTHING = Source(rows=Message.objects.all())
HOSTILE = [
    'quotes " and \\ backslash / slash',
    "controls \x01\x02\x08\x0b\x0c\x1f\x7f\x80\x9f tab\t cr\r lf\n end",
    "separators \u2028\u2029\u0085 bom \ufeff zero\u200bwidth",
    "emoji 👩‍👩‍👧‍👦🏳️‍🌈 kanji 髙﨑𠮷野家 combining が",
    "</script><b>&amp;'--; DROP TABLE",
    "percent %s %(x)s %% {0} {text} $1",
    "",
    " ",
]


@pytest.fixture
def kai() -> Employee:
    return factories.employee("kai", job="compliance")


@pytest.fixture
def talk() -> Conversation:
    return factories.conversation(factories.employee("aoi", branch=factories.team(head="sora")))


def add(talk: Conversation, **fields: Any) -> Message:
    given = {
        "direction": "inbound",
        "channel": "email",
        "occurred_at": datetime(2026, 11, 24, 9, 12, tzinfo=UTC),
        "text": "Hello",
    }
    return record_message(conversation=talk, **{**given, **fields})


def rows_of(chunks: Iterable[Chunk]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in joined(chunks).decode().split("\n")[:-1]]


def joined(chunks: Iterable[Chunk]) -> bytes:
    return b"".join(chunk.content for chunk in chunks)


def table_of(chunks: Iterable[Chunk]) -> list[dict[str, str]]:
    table = csv.reader(StringIO(joined(chunks).decode(), newline=""))
    return [dict(zip(COLUMNS, row, strict=True)) for row in table]


def opened(viewer: Employee, form: Any = "jsonl", *, lookups: Any = None, **more: Any) -> Stream:
    return stream_open(viewer=viewer, form=form, lookups=lookups or {}, filters={}, **more)


def streamed(stream: Stream) -> list[dict[str, Any]]:
    """The messages of a JSON stream, after its last line was checked."""
    *lines, end, rest = b"".join(stream.chunks).split(b"\n")
    assert rest == b""
    rows = [json.loads(line) for line in lines]
    digest = hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()
    last = rows[-1]["id"] if rows else None
    assert json.loads(end) == {"end": {"rows": len(rows), "sha256": digest, "last": last}}
    return rows


def as_given(message: Message) -> dict[str, Any]:
    """The expected line, built in plain Python."""
    message.refresh_from_db()
    keys = {"conversation": "conversation_id", "customer": "customer_id", "employee": "employee_id"}
    given: dict[str, Any] = {}
    for name in COLUMNS:
        value = getattr(message, keys.get(name, "reply_to_id" if name == "reply_to" else name))
        if isinstance(value, datetime):
            value = canonical.canonical_time(value)
        elif name in ("details", "files"):
            value = json.loads(value) if value is not None else None
        elif name == "leaf_hash":
            value = bytes(value).hex()
        elif value is not None:
            value = str(value)
        given[name] = value
    return given


def test_a_line_has_the_values_of_the_row(talk: Conversation) -> None:
    first = add(talk, text="Hello", employee_id=talk.employee_id, carrier_id='<a"b\\c@example.com>')
    messages = [
        first,
        add(
            talk,
            occurred_at=datetime(2026, 11, 24, 9, 12, 0, 120_000, tzinfo=UTC),
            subject="件名",
            reply_to_id=first.pk,
            details={"minutes": 5, "people": ["A", '"B"\n']},
            files=[{"name": "a.pdf", "size": 3}],
            from_address="hanako@example.com",
            to_address="reply+token@kaede.example",
        ),
        *(add(talk, text=text, subject=text, quoted=text, from_name=text, to_name=text) for text in HOSTILE),
    ]

    # Ids of the same millisecond have a random order.
    expected = [as_given(message) for message in sorted(messages, key=lambda message: message.pk)]
    assert rows_of(jsonl_chunks(EVERYTHING, unmask=True)) == expected


def test_csv_has_the_same_values(talk: Conversation) -> None:
    for text in HOSTILE:
        add(talk, text=text, subject=text, from_address="hanako@example.com")

    table = table_of(csv_chunks(EVERYTHING, unmask=True))
    expected = [as_given(message) for message in Message.objects.order_by("id")]
    assert sorted(row["text"] for row in expected) == sorted(HOSTILE)
    for name in ("text", "subject", "id", "conversation", "occurred_at", "recorded_at", "leaf_hash", "from_address"):
        assert [row[name] for row in table] == [row[name] for row in expected]
    assert {row["employee"] for row in table} == {""}


def test_addresses_are_masked_in_both_formats(talk: Conversation) -> None:
    add(talk, from_address='"H" <hanako@example.com>', to_address="reply+token@kaede.example")
    add(talk, channel="gone", from_address="090-1234-5678", to_address=None)

    add(talk, from_address="+819012345678", carrier_id="wamid.ODE5MDEyMzQ1Njc4", details={"to": "r@kaede.example"})
    add(talk, from_address="Uabcdef0", carrier_id="<Uabcdef0.1@line>", details={"user": "Uabcdef0"})

    for row, other in zip(rows_of(jsonl_chunks(EVERYTHING)), table_of(csv_chunks(EVERYTHING)), strict=True):
        assert not re.search("ODE5MDEyMzQ|Uabcdef0|r@kaede", str(row) + str(other))
        assert row["from_address"] == other["from_address"]
        assert (row["to_address"] or "") == other["to_address"]
        assert not {"hanako", "token", "1234"} & set(str(row).replace("@", " ").replace("+", " ").split())
        assert row["channel"] != "gone" or (row["from_address"], row["to_address"]) == ("090-••••-5678", None)


FORMULAS = [
    "=1+1", "+81 3 1234", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\tplain", " =1", "　=1", "\u200b=1", "\ufeff@a",
    "＝1+1", "＋1", "－1", "＠SUM", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")',
]  # fmt: skip
HARMLESS = ["a=1", "1+1", "'=1", "メール@example.com", "ー", "•", "(=1)", "", '"=1"']


@pytest.mark.parametrize("column", ["text", "subject", "from_name", "quoted", "carrier_id"])
def test_formulas_are_escaped_in_csv(talk: Conversation, column: str) -> None:
    for text in FORMULAS + HARMLESS:
        add(talk, **{column: text})
    stored = list(Message.objects.order_by("id").values_list(column, flat=True))

    cells = [row[column] for row in table_of(csv_chunks(EVERYTHING, unmask=True))]
    assert cells == [text if text in (*HARMLESS, "plain") else f"'{text}" for text in stored]
    # JSON lines are for programs: nothing is escaped there.
    assert [row[column] for row in rows_of(jsonl_chunks(EVERYTHING, unmask=True))] == stored


def test_a_stream_ends_with_the_number_of_rows_and_a_digest(talk: Conversation, kai: Employee) -> None:
    ids = sorted(str(add(talk, text='a\n"b", c').pk) for _ in range(3))

    assert [row["id"] for row in streamed(opened(kai))] == ids
    assert [row["id"] for row in streamed(opened(kai, after=UUID(ids[1])))] == ids[2:]
    assert streamed(opened(kai, after=UUID(ids[2]))) == []
    for bom in (False, True):
        content = b"".join(opened(kai, "csv", bom=bom).chunks)
        assert content.startswith(b"\xef\xbb\xbf" * bom + b"id,conversation,")
        *lines, end = content.decode("utf-8-sig").splitlines(keepends=True)
        digest = hashlib.sha256(content.removesuffix(end.encode())).hexdigest()
        [told] = csv.reader([end])
        assert told == ["#end", "rows=3", f"sha256={digest}", f"last={ids[2]}", *[""] * (len(COLUMNS) - 4)]
        assert len(list(csv.reader(lines))) == 4


@pytest.mark.parametrize("number", [0, 1, 4, 5, 6, 10, 11])
def test_batches_neither_lose_nor_duplicate_rows(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(reading, "BATCH", 5)
    ids = sorted(str(add(talk).pk) for _ in range(number))

    assert [row["id"] for row in rows_of(jsonl_chunks(EVERYTHING))] == ids
    assert [row["id"] for row in table_of(csv_chunks(EVERYTHING))] == ids


def test_the_export_is_recorded_before_the_first_byte(talk: Conversation, kai: Employee) -> None:
    add(talk)
    stream = stream_open(
        viewer=kai, form="csv", lookups={"channel": "email"}, filters={"channel": "email"}, unmask=True, reason="Asked"
    )

    event = Event.objects.get(kind="export.streamed")
    assert (event.actor, event.subject_id, event.reason) == (str(kai.pk), "messages.csv", "Asked")
    assert json.loads(event.details or "") == {"filters": {"channel": "email", "unmask": "true"}}
    late = add(talk)
    content = b"".join(stream.chunks)
    assert b"rows=1" in content
    assert str(late.pk).encode() not in content
    assert stream.file_name == f"messages-{event.recorded_at:%Y%m%dT%H%M%SZ}.csv"


def test_raw_addresses_require_the_permission(talk: Conversation) -> None:
    rio = factories.employee("rio", job="auditor")
    with pytest.raises(NotPermitted):
        stream_open(viewer=rio, form="jsonl", lookups={}, filters={}, unmask=True)
    assert not Event.objects.filter(kind="export.streamed").exists()


def test_twenty_thousand_rows_in_constant_memory(talk: Conversation, kai: Employee) -> None:
    """Only one batch of rows may be in memory; all rows would take some 20 MB."""
    template = add(talk, text="x" * 400, from_address="hanako@example.com")
    moment = template.recorded_at - timedelta(days=1)
    for _ in range(20):
        Message.objects.bulk_create(
            [
                Message(
                    conversation=talk,
                    customer=talk.customer,
                    direction="inbound",
                    channel="email",
                    occurred_at=moment,
                    recorded_at=moment,
                    text=template.text,
                    from_address=template.from_address,
                    digests=template.digests,
                    format=1,
                    leaf_hash=template.leaf_hash,
                )
                for _ in range(1000)
            ]
        )
    for form in ("jsonl", "csv"):
        stream = stream_open(viewer=kai, form=form, lookups={}, filters={})  # type: ignore[arg-type]
        tracemalloc.start()
        size = lines = 0
        for chunk in stream.chunks:
            size += len(chunk)
            lines += chunk.count(b"\n")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert lines == 20_002 + (form == "csv")
        assert size > 13_000_000
        assert peak < 10_000_000


@pytest.mark.parametrize("batch", [1, 2, 3, 5, 8, 100])
@pytest.mark.parametrize("talks", [1, 2, 500])
def test_viewers_who_see_only_a_part_get_rows_by_conversation(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch, batch: int, talks: int
) -> None:
    monkeypatch.setattr(reading, "BATCH", batch)
    monkeypatch.setattr(reading, "_TALKS", talks)
    aoi = talk.employee
    assert aoi is not None
    others = factories.conversation(factories.employee("ren"), name="Taro Ito")
    own = [talk, *(factories.conversation(aoi, name=f"Guest {index}") for index in range(4))]
    numbers = (3, 0, 1, 7, 2)
    for index in range(7):
        for each, number in zip(own, numbers, strict=True):
            if index < number:
                add(each)
        add(others)

    found = [(row["conversation"], row["id"]) for row in streamed(opened(aoi))]
    expected = Message.objects.filter(conversation__in=own).order_by("conversation_id", "id")
    assert found == [(str(message.conversation_id), str(message.pk)) for message in expected]
    assert len(found) == sum(numbers)

    for index in (0, 5, len(found) - 1):
        rest = streamed(opened(aoi, after=UUID(found[index][1])))
        assert [(row["conversation"], row["id"]) for row in rest] == found[index + 1 :]
    unseen = others.messages.first()
    assert unseen is not None
    with pytest.raises(InvalidMessage):
        opened(aoi, after=unseen.pk)

    assert len(streamed(opened(aoi, lookups={"conversation_id": own[3].pk}))) == 7
    assert streamed(opened(aoi, lookups={"conversation_id": others.pk})) == []


def test_the_number_of_queries_depends_only_on_the_number_of_batches(talk: Conversation, kai: Employee) -> None:
    from django.db import connection

    for index in range(30):
        add(factories.conversation(talk.employee, name=f"Guest {index}"))
    assert talk.employee is not None
    for viewer, queries in ((talk.employee, 4), (kai, 1)):
        stream = opened(viewer)
        with CaptureQueriesContext(connection) as captured:
            assert len(streamed(stream)) == 30
        assert len(captured) == queries


def test_an_erased_message_has_nulls(talk: Conversation) -> None:
    message = add(talk, text="secret", from_address="hanako@example.com", details={"a": 1})
    record_event(kind="erasure.done", subject_type="message", subject_id=message.pk, actor_type="system")
    from django.db import connection

    from crm_contact_guard.record.models import ErasurePermit

    ErasurePermit.objects.create(row_id=message.pk)
    personal = ", ".join(f"{name} = NULL" for name in (*canonical.MESSAGE_PERSONAL, "salt"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE crm_contact_guard_message SET {personal} WHERE id = %s",
            [message.pk if connection.features.has_native_uuid_field else message.pk.hex],
        )

    row = rows_of(jsonl_chunks(EVERYTHING))[0]
    assert [row[name] for name in canonical.MESSAGE_PERSONAL] == [None] * len(canonical.MESSAGE_PERSONAL)
    assert row["leaf_hash"] == bytes(message.leaf_hash).hex()
    assert b"secret" not in joined(csv_chunks(EVERYTHING))
