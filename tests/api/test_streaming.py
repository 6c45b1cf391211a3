"""The streamed addresses over HTTP: headers, filters, roles, and a server that is asynchronous."""

from __future__ import annotations

import json

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from crm_contact_guard.exports import reading
from crm_contact_guard.record.models import Event
from tests.api.conftest import API, Hotel, bearer, says


def lines(hotel: Hotel, name: str, query: str = "") -> list[dict[str, str]]:
    response = hotel.call(name, "GET", f"messages.jsonl{query}")
    return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]  # type: ignore[attr-defined]


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

    assert "hanako@example.com" in str(lines(hotel, "kai", "?unmask=true"))
    assert "hanako@example.com" not in str(lines(hotel, "rio"))
    kinds = Event.objects.filter(kind="export.streamed", details__contains="unmask")
    assert kinds.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_asynchronous_server_gets_chunk_after_chunk(hotel: Hotel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    read = 0
    by_id = reading._by_id

    def counted(*args: object, **kwargs: object) -> object:
        nonlocal read
        for batch in by_id(*args, **kwargs):  # type: ignore[arg-type]
            read += 1
            yield batch

    monkeypatch.setattr(reading, "_by_id", counted)
    headers = bearer(hotel.people["kai"])

    async def fetch() -> list[tuple[int, bytes]]:
        response = await AsyncClient().get(f"{API}messages.jsonl", headers=headers)
        return [(read, chunk) async for chunk in response.streaming_content]

    chunks = async_to_sync(fetch)()
    assert [count for count, _chunk in chunks] == [1, 2]
    assert sum(chunk.count(b"\n") for _count, chunk in chunks) == 3
