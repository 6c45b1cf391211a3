"""The API page's calls are made, and answered as it says; its tables name what there is."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings

from crm_contact_guard.api.schema import SETTINGS
from crm_contact_guard.record.models import Conversation
from tests import factories
from tests.docs.pages import ROOT, Block, of

PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")


def call(block: Block, talk: Conversation) -> tuple[str, str, dict[str, str], dict[str, Any]]:
    """Method, path, headers and body of an HTTP block, about ``talk``."""
    head, _, body = block.text.partition("\n\n")
    first, *rest = head.splitlines()
    method, path = first.split()
    headers = dict(line.split(": ", 1) for line in rest)
    return method, path.replace("019…", str(talk.pk)), headers, json.loads(body)


@pytest.fixture
def talk(db: None) -> Conversation:
    clerk = factories.employee("aoi", hours={"mon-sun": "00:00-24:00"})
    return factories.conversation(clerk, channel="email", email="hanako@post.example")


@pytest.fixture
def browser(talk: Conversation) -> Client:
    found = Client()
    assert talk.employee is not None
    assert talk.employee.user is not None
    found.force_login(talk.employee.user)
    return found


@pytest.mark.parametrize("block", of("http"), ids=str)
def test_a_call_on_the_page_is_one_that_the_description_knows(block: Block, talk: Conversation) -> None:
    method, path, headers, body = call(block, talk)
    with patched_settings(SETTINGS):
        schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    route = resolve(path).route.replace("<str:pk>", "{id}")
    operation = schema["paths"][f"/{route}"][method.lower()]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    known = schema["components"]["schemas"][reference.rpartition("/")[2]]["properties"]

    assert body.keys() <= known.keys()
    assert headers.keys() <= {each["name"] for each in operation["parameters"] if each["in"] == "header"}


def test_sending_goes_as_the_page_says(browser: Client, talk: Conversation) -> None:
    [block] = [block for block in of("http") if "/messages/" in block.text]
    _method, path, headers, body = call(block, talk)

    def send(given: dict[str, Any], **more: str) -> Any:
        return browser.post(path, given, content_type="application/json", headers={**headers, **more})

    first, again = send(body), send(body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["message"]["id"] == again.json()["message"]["id"]
    assert first.json().keys() >= {"message", "decision"}
    assert send({**body, "text": "Another"}).status_code == 422

    private = {"text": "LINE交換しませんか？ID: hanako_22", "channel": "email"}
    kept = send(private, **{"Idempotency-Key": "2"})
    assert kept.status_code == 409
    assert kept.json()["type"].endswith(":nudge")
    assert kept.json().keys() >= {"decision", "findings", "overrides"}
    [override] = [json.loads(block.text)["override"] for block in of("json") if block.page == "docs/api.md"]
    assert override["code"] in kept.json()["overrides"]
    assert send({**private, "override": override}, **{"Idempotency-Key": "3"}).status_code == 201


def test_a_token_is_made_and_used_as_the_page_shows(talk: Conversation) -> None:
    [block] = [block for block in of("console") if "contact_guard_token" in block.text]
    lines = block.text.splitlines()
    assert talk.employee is not None
    assert talk.employee.user is not None
    out, err = StringIO(), StringIO()
    login = talk.employee.user.get_username()

    call_command("contact_guard_token", "create", login, name="data warehouse", days=90, stdout=out, stderr=err)

    shown = re.sub(r"[0-9a-f]{8}-[0-9a-f-]+", "019…", re.sub(r"\d{4}-\d\d-\d\d", "DAY", err.getvalue().strip()))
    assert shown == re.sub(r"\d{4}-\d\d-\d\d", "DAY", lines[1])
    token = out.getvalue().strip()
    assert token.startswith(lines[2].partition("_")[0] + "_")
    path = lines[3].partition("example.com")[2]
    header = re.findall(r'-H "Authorization: (\w+) ', lines[3])[0]
    assert Client().get(path, headers={"authorization": f"{header} {token}"}).status_code == 200
    assert Client().get(path, headers={"authorization": f"{header} {token}x"}).status_code == 401


def test_the_table_of_errors_names_each_type_with_its_status() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "crm_contact_guard/api").rglob("*.py"))
    source += (ROOT / "crm_contact_guard/exceptions.py").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+) \| (\d{3}) \|", PAGE, re.MULTILINE)

    assert len(rows) >= 10
    for names, _status in rows:
        for name in re.findall(r"`([\w-]+)`", names):
            assert f'"{name}"' in source or name in ("nudge", "block"), name
