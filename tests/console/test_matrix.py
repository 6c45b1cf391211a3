"""Who may do what on the pages: every role on every address, with rows of a talk that is Aoi's."""

from __future__ import annotations

from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from crm_contact_guard import urls as app_urls
from crm_contact_guard.console import urls
from crm_contact_guard.console.customer.chat_entry import COOKIE
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision.models import Alert
from tests.console.conftest import Hotel, url
from tests.console.matrix_rows import Rows, rows_of
from tests.console.matrix_table import FORMS, PEOPLE, PUBLIC, TABLE
from tests.file_samples import read_to_end


@pytest.fixture
def rows(hotel: Hotel) -> Rows:
    return rows_of(hotel)


def names() -> set[str]:
    return {str(pattern.name) for pattern in urls.urlpatterns}


@pytest.mark.parametrize("who", PEOPLE)
def test_each_role_on_each_page(rows: Rows, who: str) -> None:
    found = {(method, name): rows.call(who, method, name).status_code for method, name in TABLE}

    assert found == {key: int(row.split()[PEOPLE.index(who)]) for key, row in TABLE.items()}


def test_the_table_names_every_address() -> None:
    assert names() - PUBLIC == {name for _method, name in TABLE}
    # Who may ask the others is tested beside them: tests/api, tests/intake, tests/monitoring.
    monitoring = {"health/", "health/live/", "health/ready/", "metrics/"}
    elsewhere = {"api/v1/", "webhooks/<str:alias>/", *monitoring}
    assert {str(pattern.pattern) for pattern in app_urls.urlpatterns} == {"", *elsewhere}


def test_no_page_takes_another_method(hotel: Hotel) -> None:
    browser, methods = hotel.browser("compliance"), {"GET", "POST", "PUT", "PATCH", "DELETE"}
    for name in sorted(names() - PUBLIC):
        pattern = str(next(p.pattern for p in urls.urlpatterns if p.name == name))
        address = url(
            name, *[uuid4()] * pattern.count("<uuid:"), *["note"] * (pattern.count("<slug:") + pattern.count("<str:"))
        )
        others = methods - {method for method, page in TABLE if page == name}

        assert {method: browser.generic(method, address).status_code for method in others} == dict.fromkeys(others, 405)


def test_every_post_needs_the_csrf_token(rows: Rows) -> None:
    """Also of somebody who may: nothing changes by a form that another site sends."""
    before = Event.objects.count(), Message.objects.count(), ChatLink.objects.count()
    for method, name in TABLE:
        for who in ("aoi", "compliance"):
            rows.hotel.browser(who).handler.enforce_csrf_checks = True
            if method == "POST":
                assert rows.call(who, method, name).status_code == 403, name

    assert (Event.objects.count(), Message.objects.count(), ChatLink.objects.count()) == before
    rows.alert.refresh_from_db()
    assert rows.alert.status == Alert.Status.OPEN


def test_another_tenants_rows_do_not_exist(rows: Rows) -> None:
    """Not even for those who see all: officer, auditor, and a supervisor of a team by the same name."""
    Employee.objects.filter(role__in=("compliance", "auditor")).update(tenant="elsewhere")
    Employee.objects.filter(pk=rows.hotel.people["chief"].pk).update(tenant="elsewhere")

    for who in ("compliance", "auditor", "chief"):
        for method, name in TABLE:
            if rows.arguments(name) and not name.startswith("queue_view_"):  # their own, wherever they are
                assert rows.call(who, method, name).status_code in (403, 404), (who, method, name)
        for name in ("dashboard", "alerts", "inbox"):
            assert "Hanako" not in rows.hotel.get(who, name).content.decode()


def test_what_anybody_may_ask_for_gives_a_stranger_nothing(rows: Rows) -> None:
    stranger, before = Client(), Message.objects.count()
    arguments = {"chat_enter": ["guessed"], "chat_file": [rows.file.pk], "carrier_file": [str(rows.file.pk)]}
    for name, cookie in product(sorted(PUBLIC), ("", "guessed", str(rows.link.pk))):
        stranger.cookies[COOKIE] = cookie
        for response in (
            stranger.get(url(name, *arguments.get(name, []))),
            stranger.post(url(name, *arguments.get(name, [])), {"text": "x", "form_token": "x"}),
        ):
            body = read_to_end(response)
            assert b"Hanako" not in body, name
            assert b"passport" not in body, name
            assert response.status_code in ({302} if name == "language_set" else {404, 405, 410}), name
    assert Message.objects.count() == before


def test_no_form_leads_to_another_site(rows: Rows) -> None:
    talk = rows.hotel.talk.pk
    forms: list[tuple[str, list[Any], dict[str, Any]]] = [
        ("conversation_start", [], {"id": str(rows.hotel.talk.customer_id)}),
        ("conversation_send", [talk], FORMS["conversation_send"]),
        ("conversation_note", [talk], FORMS["conversation_note"]),
        ("chat_link_revoke", [talk, rows.link.pk], {}),
        ("language_set", [], {"language": "ja"}),
    ]
    elsewhere = ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)")
    for wanted, (name, arguments, form) in product(elsewhere, forms):
        answer = rows.hotel.post("aoi", name, *arguments, data={**form, "back": wanted, "next": wanted})
        assert answer.status_code == 302
        assert "evil" not in answer["Location"]
        assert answer["Location"].startswith("/")
