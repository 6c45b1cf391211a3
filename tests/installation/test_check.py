"""``contact_guard_check``: each problem is reported with its fix, and a complete installation has no errors."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import override_settings
from django.urls import clear_script_prefix, set_script_prefix

from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.record import trigger_state, triggers
from tests import factories
from tests.host.models import Branch, Client
from tests.ports import free_port
from tests.verification.tampering.scene import needs_database

pytestmark = pytest.mark.django_db

Report = list[dict[str, Any]]


def look(*arguments: str) -> Report:
    """The command's output, one dict per line."""
    out = io.StringIO()
    with suppress(CommandError):
        call_command("contact_guard_check", "--json", *arguments, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def guard(**changes: object) -> dict[str, Any]:
    return {**django_settings.CONTACT_GUARD, **changes}


def errors(report: Report) -> list[str]:
    return [item["says"] for item in report if item["level"] == "error"]


def found(report: Report, words: str) -> dict[str, Any]:
    return next(item for item in report if words in item["says"])


@pytest.fixture(autouse=True)
def complete() -> Iterator[None]:
    """The test host with a login page and served static files, like a running host."""
    with override_settings(ROOT_URLCONF="tests.services.browser.urls", DEBUG=True):
        yield


@pytest.fixture
def staffed() -> Branch:
    """An installation with a supervisor, so that alerts reach someone."""
    return factories.team(head="sora")


@pytest.mark.usefixtures("staffed")
def test_a_complete_installation_has_no_errors() -> None:
    out = io.StringIO()
    factories.customer(email="hanako@mail.example")

    call_command("contact_guard_check", stdout=out)

    words = out.getvalue()
    assert "0 errors" in words
    assert "customers reach the web chat without signing in" in words
    assert "the triggers refuse changes" in words
    assert "people sign in at /login/" in words


@pytest.mark.usefixtures("staffed")
def test_unusable_rows_are_counted_with_their_keys() -> None:
    bad = Client.objects.create(full_name="Hanako Sato", emails="not an address", mobile="12")
    for name in ("Ken", "Kenji"):
        Client.objects.create(full_name=name, emails="both@mail.example")

    report = look()

    assert found(report, "kind 'phone'")["says"] == f"1 customer with an invalid address of kind 'phone' (key {bad.pk})"
    assert found(report, "kind 'email'")["level"] == "warning"
    assert found(report, "belong to several customers")["says"].startswith("1 addresses")
    assert errors(report) == []


@pytest.mark.parametrize(
    ("setting", "option", "path", "near"),
    [
        ("CUSTOMER", "EMAIL", "email", "emails"),
        ("CUSTOMER", "OWNER", "manger.pk", "manager"),
        ("CUSTOMER", "TEAM", "manager.brunch", "branch"),
        ("EMPLOYEE", "ROLE", "jobb", "job"),
        ("TEAM", "SUPERVISOR", "heads", "head"),
    ],
)
@pytest.mark.usefixtures("staffed")
def test_an_invalid_path_is_reported_with_the_closest_name(setting: str, option: str, path: str, near: str) -> None:
    spec = {**django_settings.CONTACT_GUARD[setting], option: path}

    with override_settings(CONTACT_GUARD=guard(**{setting: spec})):
        item = found(look(), f'["{option}"] = {path!r}')

    assert item["level"] == "error"
    assert item["fix"] == f"did you mean {near!r}?"


def test_alerts_that_would_reach_nobody_are_an_error() -> None:
    factories.employee("aoi")
    assert "alerts would reach nobody" in errors(look())[0]

    factories.team("Annex")
    assert "1 teams without a supervisor (Annex)" in errors(look())

    factories.employee("kai", job="compliance")
    report = look()
    assert errors(report) == []
    assert "compliance officer" in found(report, "Annex")["fix"]


@needs_database
@pytest.mark.usefixtures("staffed")
def test_fix_mirrors_people_and_restores_triggers() -> None:
    factories.user("aoi")
    triggers.remove(connection)
    before = look()
    assert any("missing or altered triggers" in says for says in errors(before))
    assert found(before, "not mirrored yet")["mendable"]

    after = look("--fix")

    assert errors(after) == []
    assert not trigger_state.altered(connection)
    assert Employee.objects.filter(name="Aoi").exists()


@pytest.mark.usefixtures("staffed")
def test_without_fix_nothing_is_changed() -> None:
    factories.user("aoi")
    Client.objects.create(full_name="Ken", emails="ken@mail.example")

    look()

    assert not Employee.objects.filter(name="Aoi").exists()
    assert not Customer.objects.exists()


# --- pages


@pytest.mark.usefixtures("staffed")
def test_an_invalid_login_url_is_reported() -> None:
    with override_settings(CONTACT_GUARD=guard(LOGIN_URL="/nowhere/")):
        assert "the login address '/nowhere/' leads nowhere" in errors(look())


@pytest.mark.usefixtures("staffed")
def test_a_login_url_matched_only_by_a_catch_all_pattern_is_reported() -> None:
    """A catch-all pattern does not mean that every path is a page."""
    with override_settings(
        ROOT_URLCONF="tests.strange_urls.editors", CONTACT_GUARD=guard(LOGIN_URL="/accounts/login/")
    ):
        assert "the login address '/accounts/login/' leads nowhere" in errors(look())


def strangers_must_sign_in(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware as in many hosts: everyone who is not signed in is redirected to the login page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request) if request.path == "/login/" else HttpResponseRedirect("/login/")

    return middleware


def another_site(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware that chooses a URLconf by host name; this one lacks our URLs."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.urlconf = "tests.strange_urls.caught"  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


def strict_about_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware that fails at an unknown header."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "base-uri" in get_response(request).get("Content-Security-Policy", ""):
            raise ValueError("Invalid directive base-uri")
        return get_response(request)

    return middleware


@pytest.mark.parametrize(
    ("middleware", "problem"),
    [
        ("another_site", "a middleware uses the URLconf 'tests.strange_urls.caught'"),
        ("strict_about_headers", "the web chat returns 500 (ValueError: Invalid directive base-uri)"),
    ],
)
@pytest.mark.usefixtures("staffed")
def test_middleware_that_changes_the_urlconf_or_fails_is_reported(middleware: str, problem: str) -> None:
    with override_settings(MIDDLEWARE=[f"{__name__}.{middleware}", *django_settings.MIDDLEWARE]):
        report = look()

    assert any(problem in says for says in errors(report))
    assert not any("customers reach the web chat" in item["says"] for item in report)


@pytest.mark.usefixtures("staffed")
def test_urls_caught_by_an_earlier_pattern_are_reported() -> None:
    """The other view returns 404, as does an expired chat link."""
    with override_settings(ROOT_URLCONF="tests.strange_urls.caught"):
        report = look()

    assert any("E021" in says for says in errors(report))
    assert "/guard/chat/x/ leads to another page than ours" in errors(report)


@pytest.mark.parametrize("addresses", ["languages", "renamed", "twice"])
@pytest.mark.usefixtures("staffed")
def test_valid_urls_are_accepted(addresses: str) -> None:
    with override_settings(ROOT_URLCONF=f"tests.strange_urls.{addresses}", LANGUAGE_CODE="ja"):
        assert found(look(), "customers reach the web chat without signing in")["level"] == "ok"


@pytest.mark.usefixtures("staffed")
def test_a_site_with_a_script_prefix() -> None:
    set_script_prefix("/crm/")
    try:
        with override_settings(LOGIN_URL="/crm/login/"):
            report = look()
    finally:
        clear_script_prefix()

    assert errors(report) == []
    assert found(report, "people sign in at")["says"].endswith(" /crm/login/")


SIGNED = {"BACKEND": "tests.signed_channel.SignedChannel", "OPTIONS": {"SECRET": "s3cret"}}


@pytest.mark.usefixtures("staffed")
def test_middleware_that_requires_a_login_is_reported() -> None:
    crude = [*django_settings.MIDDLEWARE, f"{__name__}.strangers_must_sign_in"]
    channels = {**django_settings.CONTACT_GUARD["CHANNELS"], "carrier": SIGNED}

    with override_settings(CONTACT_GUARD=guard(CHANNELS=channels)):
        assert found(look(), "carriers reach the webhooks")["level"] == "ok"
        with override_settings(MIDDLEWARE=crude):
            report = look()

    crude_one = f"{__name__}.strangers_must_sign_in blocks"
    assert f"{crude_one} the web chat for visitors without a login (302 to /login/)" in errors(report)
    assert f"{crude_one} the webhook of 'carrier' for visitors without a login (302 to /login/)" in errors(report)


def wants_messages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware that depends on a later one, and refuses users who are not signed in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        get_response(request)
        request._messages  # type: ignore[attr-defined]  # noqa: B018
        return HttpResponse("Sign in first", status=403)

    return middleware


@pytest.mark.usefixtures("staffed")
def test_middleware_that_can_not_be_identified_is_not_named() -> None:
    with override_settings(MIDDLEWARE=[f"{__name__}.wants_messages", *django_settings.MIDDLEWARE]):
        assert "a middleware blocks the web chat for visitors without a login (403)" in errors(look())


@pytest.mark.usefixtures("staffed")
def test_a_public_host_missing_in_allowed_hosts_is_reported() -> None:
    with override_settings(CONTACT_GUARD=guard(PUBLIC_URL="https://crm.kaede.example")):
        assert "requests for 'crm.kaede.example' are refused" in errors(look())


@pytest.mark.usefixtures("staffed")
def test_a_base_template_that_is_missing_or_lacks_our_blocks_is_reported() -> None:
    with override_settings(CONTACT_GUARD=guard(BASE_TEMPLATE="crm_contact_guard/mail/notice.txt")):
        assert any("BASE_TEMPLATE" in says for says in errors(look()))
    with override_settings(CONTACT_GUARD=guard(BASE_TEMPLATE="nowhere.html")):
        assert any("TemplateDoesNotExist" in says for says in errors(look()))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"STATIC_URL": None}, "STATIC_URL is not set"),
        ({"USE_I18N": False}, "all pages are in English"),
        ({"LANGUAGES": [("en", "English")]}, "LANGUAGES lacks ja"),
    ],
)
@pytest.mark.usefixtures("staffed")
def test_missing_host_settings_are_reported(changes: dict[str, Any], words: str) -> None:
    with override_settings(**changes):
        assert found(look(), words)["fix"]


@pytest.mark.usefixtures("staffed")
def test_uncollected_static_files_are_reported(tmp_path: Path) -> None:
    manifest = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}

    with override_settings(DEBUG=False, STATIC_ROOT=tmp_path, STORAGES={**django_settings.STORAGES, **manifest}):
        report = look()

    assert found(report, "styles and scripts are not collected")["fix"] == "manage.py collectstatic"
    assert found(report, "people sign in at")["level"] == "ok"


# --- carriers and work


@pytest.mark.usefixtures("staffed")
def test_webhooks_are_requested_over_the_network(live_server: Any) -> None:
    channels = {"carrier": SIGNED, "chat": django_settings.CONTACT_GUARD["CHANNELS"]["chat"]}

    with override_settings(CONTACT_GUARD=guard(CHANNELS=channels, PUBLIC_URL=live_server.url)):
        assert found(look(), "give the carrier")["says"].endswith("/webhooks/carrier/")
    with override_settings(CONTACT_GUARD=guard(CHANNELS=channels, PUBLIC_URL=f"http://127.0.0.1:{free_port()}")):
        assert found(look(), "does not answer")["level"] == "warning"


@pytest.mark.usefixtures("staffed")
def test_a_failed_test_message_is_an_error() -> None:
    assert "the test to me@kaede.example failed" in errors(look("--test-send", "email=me@kaede.example"))[0]
    with pytest.raises(CommandError, match="does not have the form email"):
        call_command("contact_guard_check", "--test-send", "me@kaede.example")


@pytest.fixture
def celery_of_a_host() -> Iterator[Any]:
    from celery import Celery, current_app

    before = current_app._get_current_object()
    app = Celery("host", broker=f"redis://crm:s3%20cret@127.0.0.1:{free_port()}/0", set_as_current=True)
    yield app
    before.set_current()


@pytest.mark.usefixtures("staffed")
def test_an_unavailable_broker_and_an_incomplete_schedule_are_reported(celery_of_a_host: Any) -> None:
    place = celery_of_a_host.conf.broker_url.rpartition("@")[2]
    with override_settings(CONTACT_GUARD=guard(TASKS="celery")):
        report = look()

    [says] = errors(report)
    assert says.startswith(f"the broker does not answer: redis://crm:**@{place} (OperationalError: ")
    assert "refused" in says
    assert "cret" not in says
    assert "lacks" in found(report, "Celery's schedule")["says"]


@pytest.mark.usefixtures("staffed")
def test_an_exception_in_one_part_is_reported_and_the_rest_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "__str__", lambda self: 1 / 0)
    Client.objects.create(full_name="", emails="a@mail.example")

    report = look()

    assert any("ZeroDivisionError" in says for says in errors(report))
    assert found(report, "the pages begin at")["level"] == "ok"


def test_addresses_shared_across_tenants_are_reported_separately() -> None:
    for zone in ("Asia/Tokyo", "Europe/London"):
        Client.objects.create(full_name="Hanako", emails="h@mail.example", zone=zone)
    spec = {**django_settings.CONTACT_GUARD["CUSTOMER"], "TENANT": "zone"}

    with override_settings(CONTACT_GUARD=guard(CUSTOMER=spec)):
        report = look()

    assert found(report, "customers of several tenants")["says"].startswith("1 addresses")
    assert not [item for item in report if "belong to several customers" in item["says"]]


def test_unmapped_role_names_are_counted() -> None:
    for name in ("eve", "mallory"):
        factories.user(name, job="subcontractor")

    item = found(look(), "'subcontractor'")

    assert (item["level"], item["says"].split()[0]) == ("warning", "2")
