"""The OpenAPI description: 3.1, readable without login, valid, and true."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from crm_contact_guard.api import urls
from crm_contact_guard.api.views.schema import openapi
from tests.api.conftest import API, Hotel


@pytest.fixture
def schema(db: None) -> dict[str, Any]:
    response = Client().get(f"{API}schema/")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/vnd.oai.openapi+json"
    found: dict[str, Any] = response.json()
    return found


def test_it_is_valid_and_made_without_a_warning(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    validate_schema(schema)
    openapi.cache_clear()
    GENERATOR_STATS.reset()
    openapi("/guard/api/v1", "en")
    assert not GENERATOR_STATS


def test_it_names_our_addresses_alone_under_the_hosts_prefix(schema: dict[str, Any]) -> None:
    ours = {API + str(pattern.pattern).replace("<str:pk>", "{id}") for pattern in urls.urlpatterns}

    assert set(schema["paths"]) == ours
    assert schema["info"]["title"] == "Contact guard"
    assert schema["components"]["securitySchemes"]["bearerToken"] == {"type": "http", "scheme": "bearer"}


def test_answers_are_as_described(hotel: Hotel, schema: dict[str, Any]) -> None:
    """Each answer, good or bad, is checked against the schema of its status and type."""
    row = {"id": ""}
    checked = set()
    for template, operations in schema["paths"].items():
        for kind in ("conversations", "messages", "alerts"):
            if f"/{kind}/{{id}}" in template or (kind == "messages" and "/proof/" in template):
                row["id"] = hotel.call("yui", "GET", f"{kind}/").json()["results"][0]["id"]
        path = template.removeprefix(API).format(**row)
        for method in operations.keys() & {"get", "post"}:
            bodies = [{"text": "私の個人LINEはaoi_private77です"}, {"text": "Hello", "resolution": "no_action"}, {}]
            for name in ("aoi", "yui", "kai", "nobody"):
                for body in bodies if method == "post" else [None]:
                    response = hotel.call(name, method.upper(), path, body)
                    answer = operations[method]["responses"][str(response.status_code)]
                    content = answer["content"][response["Content-Type"].split(";")[0]]
                    if not response.streaming:
                        described = {**content["schema"], "components": schema["components"]}
                        Draft202012Validator(described).validate(response.json())
                    checked.add((template.removeprefix(API), method, response.status_code))

    assert {("conversations/{id}/messages/", "post", status) for status in (400, 401, 403)} <= checked
    assert len(checked) > 35


def test_a_message_kept_back_is_as_described(hotel: Hotel, schema: dict[str, Any]) -> None:
    path = f"conversations/{hotel.talk.pk}/messages/"
    operation = schema["paths"][API + "conversations/{id}/messages/"]["post"]
    for text, status in (("私の個人LINEはaoi_private77です。こちらに連絡してください。", 409), ("Hello", 201)):
        response = hotel.call("aoi", "POST", path, {"text": text})
        assert response.status_code == status
        content = operation["responses"][str(status)]["content"][response["Content-Type"]]
        Draft202012Validator({**content["schema"], "components": schema["components"]}).validate(response.json())


def test_what_callers_give_allows_no_other_fields(schema: dict[str, Any]) -> None:
    components = schema["components"]["schemas"]
    given = {name: parts for name, parts in components.items() if "additionalProperties" in parts}

    assert {"Call", "ChosenTemplate", "Close", "Link", "Outgoing", "Override", "Text"} <= given.keys()
    assert not any(parts["additionalProperties"] for parts in given.values())
