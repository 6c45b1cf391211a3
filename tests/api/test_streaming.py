"""The streamed addresses over HTTP: headers, filters, roles, and a server that is asynchronous."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from importlib import import_module

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from crm_contact_guard.exports import reading
from crm_contact_guard.record.models import Event
from tests.api.conftest import API, Hotel, bearer, says


def lines(hotel: Hotel, name: str, query: str = "") -> list[dict[str, str]]:
    response = hotel.call(name, "GET", f"messages.jsonl{query}")
    *rows, end = b"".join(response.streaming_content).splitlines()  # type: ignore[attr-defined]
    assert json.loads(end)["end"]["rows"] == len(rows)
    return [json.loads(row) for row in rows]


def test_headers_name_a_file(hotel: Hotel) -> None:
    for form, kind in (("jsonl", "application/jsonl"), ("csv", "text/csv")):
        response = hotel.call("kai", "GET", f"messages.{form}")
        assert response["Content-Type"] == f"{kind}; charset=utf-8"
        assert response["Content-Disposition"].startswith('attachment; filename="messages-2')
        assert response["Content-Disposition"].endswith(f'.{form}"')
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response.streaming
        assert "Content-Length" not in response


def test_filters_choose_and_are_recorded(hotel: Hotel) -> None:
    talk = str(hotel.talk.pk)

    assert {row["conversation"] for row in lines(hotel, "kai", f"?conversation={talk}")} == {talk}
    assert lines(hotel, "kai", "?direction=outbound") == []
    first = Event.objects.filter(kind="export.streamed").earliest("recorded_at")
    assert json.loads(first.details or "") == {"filters": {"conversation": talk}}


def test_a_stream_gives_what_the_list_gives(hotel: Hotel) -> None:
    message = says(hotel.talk, "hello", channel="email", from_address="hanako@example.com")
    listed = hotel.call("kai", "GET", f"messages/{message.pk}/").json()
    (row,) = [row for row in lines(hotel, "kai") if row["id"] == str(message.pk)]

    assert {name: row[name] for name in listed if name in row} == {
        name: value if "_at" not in name or "." in value else value.replace("Z", ".000000Z")
        for name, value in listed.items()
        if name in row
    }


def test_raw_addresses_are_for_compliance_and_recorded(hotel: Hotel) -> None:
    says(hotel.talk, "hello", channel="email", from_address="hanako@example.com")

    assert "hanako@example.com" in str(lines(hotel, "kai", "?unmask=true&unmask_reason=asked"))
    assert "hanako@example.com" not in str(lines(hotel, "rio"))
    kinds = Event.objects.filter(kind="export.streamed", details__contains="unmask")
    assert kinds.count() == 1


def test_a_stream_is_compressed_as_the_caller_accepts(hotel: Hotel) -> None:
    zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    plain = hotel.call("kai", "GET", "messages.csv")
    content = b"".join(plain.streaming_content)  # type: ignore[attr-defined]
    assert "Content-Encoding" not in plain
    for accept, coding, unpack in (
        ("gzip", "gzip", gzip.decompress),
        ("br, gzip;q=0.8, zstd;q=0.5", "gzip", gzip.decompress),
        ("gzip, deflate, br, zstd", "zstd", zstd.decompress),
        ("gzip;q=0, identity, zstd;q=0", None, bytes),
    ):
        response = hotel.call("kai", "GET", "messages.csv", **{"Accept-Encoding": accept})
        assert response.get("Content-Encoding") == coding
        assert "Accept-Encoding" in response["Vary"]
        first, *rest = response.streaming_content  # type: ignore[attr-defined]
        assert len(rest) >= 2
        assert unpack(b"".join([first, *rest])) == content
        if coding == "gzip":
            assert zlib.decompressobj(31).decompress(first).startswith(b"id,"), "readable as soon as it is sent"


def test_a_stream_goes_on_after_the_last_row(hotel: Hotel) -> None:
    ids = [row["id"] for row in lines(hotel, "kai")]
    assert [row["id"] for row in lines(hotel, "kai", f"?after={ids[0]}")] == ids[1:]
    assert [row["id"] for row in lines(hotel, "sora", f"?after={lines(hotel, 'sora')[0]['id']}")]
    other = hotel.other_talk.messages.get().pk
    for wrong in ("x", "", str(other)):
        response = hotel.call("sora", "GET", f"messages.jsonl?after={wrong}")
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "after")


@pytest.mark.django_db(transaction=True)
def test_an_asynchronous_server_gets_chunk_after_chunk(hotel: Hotel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    read = 0
    chunk_of = reading.Form.chunk

    def counted(form: reading.Form, rows: list[object]) -> reading.Chunk:
        nonlocal read
        read += 1
        return chunk_of(form, rows)

    monkeypatch.setattr(reading.Form, "chunk", counted)
    headers = bearer(hotel.people["kai"])

    async def fetch() -> list[tuple[int, bytes]]:
        response = await AsyncClient().get(f"{API}messages.jsonl", headers=headers)
        return [(read, chunk) async for chunk in response.streaming_content]

    chunks = async_to_sync(fetch)()
    assert [count for count, _chunk in chunks] == [1, 2, 2]
    assert sum(chunk.count(b"\n") for _count, chunk in chunks) == 4
