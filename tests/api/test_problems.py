"""Whatever is thrown at it, the API answers with a problem (RFC 9457) and never with a 500."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import pytest

from crm_contact_guard.supervision.models import Alert
from tests.api.conftest import API, Hotel
from tests.api.test_matrix import stranger

JSON = "application/json"


BODIES = [
    (b"\xff\xfe{}", JSON, 400),
    (b'{"text": "\x80"}', JSON, 400),
    ("{}".encode("utf-16"), f"{JSON}; charset=utf-16", 400),
    (b"{}", f"{JSON}; charset=rot13", 400),
    (b"{", JSON, 400),
    (b"", JSON, 400),
    (b"[]", JSON, 400),
    (b'"text"', JSON, 400),
    (b"null", JSON, 400),
    (b'{"text": NaN}', JSON, 400),
    (b'{"text": ' + b"9" * 5000 + b"}", JSON, 400),
    (b'{"text": ' + b"[" * 100_000, JSON, 400),
    (b'{"text": "' + b"x" * 1_100_000 + b'"}', JSON, 413),
    (b"text=hello", "application/x-www-form-urlencoded", 415),
    (b"--x", "multipart/form-data; boundary=x", 415),
    (b"<text/>", "application/xml", 415),
    (b"{}", "nonsense", 415),
]
# Many of these share one hotel, since building it is what takes the time.


@pytest.mark.parametrize(
    "path", ["scan/", "conversations/{talk}/messages/", "conversations/{talk}/call/", "alerts/{alert}/close/"]
)
def test_hostile_bodies(hotel: Hotel, path: str) -> None:
    client = hotel.client("aoi" if "conv" in path else "yui")
    url = API + path.format(talk=hotel.talk.pk, alert=hotel.talk.alerts.get().pk)

    for body, content_type, usual in BODIES:
        # Messages may carry files, so there a form is only malformed.
        status = 400 if path.endswith("/messages/") and content_type.startswith("multipart") else usual
        response = client.generic("POST", url, body, content_type=content_type)
        assert (response.status_code, body[:50]) == (status, body[:50])
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["status"] == status


def cursor(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


QUERIES = [
    "cursor=", "cursor=%00", "cursor=日本", "cursor=!!!!", "cursor=" + cursor("{}"), "cursor=" + cursor("[0]"),
    "cursor=" + cursor('[0,"x"]'), "cursor=" + cursor("[0,1,2,3,4]"), "cursor=" + cursor('[0,"2026-11-24","x"]'),
    "cursor=" + cursor("[" * 5000), "cursor=" + cursor('[0,null,{"a":1}]'), "cursor=" + cursor('[0,5]'),
    "cursor=" + cursor('[0,"0001-01-01T00:00:00+14:00","00000000-0000-0000-0000-000000000000"]'),
    "page_size=0", "page_size=-1", "page_size=201", "page_size=" + "9" * 30, "page_size=１０", "page_size=ten",
    "page_size=", "page_size=10&page_size=20", "limit=5", "offset=5", "format=xml", "employe=1",
    "conversation=1", "employee=' OR 1=1 --", "channel=%00", "channel=" + "x" * 300, "channel=%ED%A0%80%00",
    "occurred_at__gte=yesterday", "occurred_at__gte=0000-00-00", "occurred_at__lt=99999-01-01",
    "occurred_at__gte=0001-01-01T00:00:00%2B14:00", "direction=sideways", "direction=inbound&direction=note",
    "kind__in=call", "text__icontains=a", "conversation__customer__name=a", "unmask=perhaps",
]  # fmt: skip


def test_hostile_queries(hotel: Hotel) -> None:
    for query in QUERIES:
        response = hotel.call("kai", "GET", f"messages/?{query}")
        assert (response.status_code, query) == (400, query)
        assert response["Content-Type"] == "application/problem+json"
        problem = response.json()
        assert problem["type"] == "urn:crm-contact-guard:problem:invalid"
        assert problem["errors"][0]["field"] == query.split("=")[0]


def test_every_list_refuses_what_it_does_not_know(hotel: Hotel) -> None:
    for path in (
        "conversations/?state=ajar",
        "alerts/?severity=3",
        "alerts/?status=opened",
        "findings/?kind=harassement",
        "access-log/?actor=kai",
        "messages.jsonl?since=2026",
        "messages.jsonl?bom=true",
        "messages.csv?bom=ja",
    ):
        assert (hotel.call("kai", "GET", path).status_code, path) == (400, path)


def test_a_misspelt_filter_gets_the_nearest_name(hotel: Hotel) -> None:
    problem = hotel.call("kai", "GET", "alerts/?severty=high").json()

    assert problem["errors"] == [{"field": "severty", "detail": "There is no such parameter. Did you mean severity?"}]


@pytest.mark.parametrize("path", ["conversations/{}/", "messages/{}/", "alerts/{}/", "conversations/{}/messages/"])
def test_unknown_and_unreadable_ids_are_not_found(hotel: Hotel, path: str) -> None:
    for row in ("x", "0", "None", "%00", "00000000-0000-0000-0000-000000000000", "é" * 50, "{}"):
        response = hotel.call("kai", "GET", path.format(row))
        assert (response.status_code, row) == (404, row)
        assert response.json()["type"] == "urn:crm-contact-guard:problem:not-found"


def test_a_problem_speaks_the_callers_language(hotel: Hotel) -> None:
    response = hotel.client("nobody").get(f"{API}messages/", headers={"Accept-Language": "ja"})

    assert response.status_code == 401
    assert "Accept-Language" in response["Vary"]


def test_accept_decides_nothing(hotel: Hotel) -> None:
    for accept in ("text/html", "application/xml", "image/*;q=x", ""):
        response = hotel.client("kai").get(f"{API}messages/", headers={"Accept": accept})
        assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("body", [b'{"text":' + b"[" * 5000, b'{"text":1,"text":2}', b'{"text":1e999}', b"\xff{}"])
def test_json_that_is_nested_too_deep_or_read_in_two_ways_is_refused(hotel: Hotel, body: bytes) -> None:
    path = f"{API}conversations/{hotel.talk.pk}/messages/"

    answer = hotel.client("aoi").post(path, body, content_type="application/json")

    assert (answer.status_code, answer.json()["detail"]) == (400, "The body is not JSON in UTF-8.")


@pytest.mark.parametrize(
    ("path", "body", "errors"),
    [
        ("scan/", {"text": "a", "chanel": "sms"}, {"chanel": "There is no such field. Did you mean channel?"}),
        ("conversations/{talk}/messages/", {"text": "a", "to": "x"}, {"to": "There is no such field. Known: "}),
        (
            "conversations/{talk}/messages/",
            {"text": "a", "override": {"code": "emergency", "txt": "b"}},
            {"override.txt": "There is no such field. Did you mean text?"},
        ),
        (
            "conversations/{talk}/messages/",
            {"template": {"name": "a", "vars": {}}},
            {"template.vars": "There is no such field."},
        ),
        ("conversations/{talk}/call/", {"line": "x"}, {"line": "There is no such field. Known: channel."}),
        ("conversations/{stranger}/customer/", {"customer": "x", "why": ""}, {"why": "There is no such field."}),
        ("alerts/{alert}/claim/", {"comment": ""}, {"comment": "There is no such field."}),
        ("alerts/{alert}/close/", {"reason": "x"}, {"reason": "There is no such field."}),
    ],
)
def test_a_field_that_a_call_does_not_know_is_refused(
    hotel: Hotel, path: str, body: dict[str, Any], errors: dict[str, str]
) -> None:
    rows = {"talk": hotel.talk.pk, "alert": Alert.objects.all()[0].pk, "stranger": stranger(hotel).pk}

    answer = hotel.call("kai", "POST", path.format(**rows), body)

    assert answer.status_code == 400, answer.content
    problems = {each["field"]: each["detail"] for each in answer.json()["errors"]}
    assert problems.keys() == errors.keys()
    assert all(problems[name].startswith(text) for name, text in errors.items()), problems


@pytest.mark.parametrize("query", ["", "?q=", "?q=%20"])
def test_a_search_without_its_required_parameter_is_refused(hotel: Hotel, query: str) -> None:
    answer = hotel.call("kai", "GET", f"conversations/{hotel.talk.pk}/customer/{query}")

    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "q", "detail": "This parameter is required."}]
