"""What living hosts have and examples do not: each meets a working page, or an error that names the way out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import redirect
from django.test import Client, override_settings
from django.urls import URLPattern, reverse

from crm_contact_guard.console.urls import urlpatterns as console_urls
from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.urls import urlpatterns as own_urls
from tests import factories


class LoginEverywhere:
    """A middleware as hosts write it: a list of paths that strangers may see, and 302 for all others."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated or request.path.startswith(("/guard/chat/", "/guard/webhooks/")):
            return self.get_response(request)
        return redirect("/login/")


BY_DJANGO = "django.contrib.auth.middleware.LoginRequiredMiddleware"
BY_HAND = "tests.test_host_traps.LoginEverywhere"


@pytest.mark.django_db
@pytest.mark.parametrize("middleware", [BY_DJANGO, BY_HAND])
def test_customers_and_carriers_come_in_where_a_login_is_wanted_everywhere(middleware: str) -> None:
    employee = factories.employee("aoi")
    _link, token = chat_link_create(conversation=factories.conversation(employee), created_by=employee)
    stranger = Client(enforce_csrf_checks=True)

    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, middleware]):
        opened = stranger.get(reverse("crm_contact_guard:chat_enter", args=[token]), follow=True)
        hook = stranger.post(reverse("crm_contact_guard:webhook", args=["chat"]), b"{}", "application/json")
        inside = stranger.get(reverse("crm_contact_guard:inbox"))

    assert opened.status_code == 200
    assert "form_token" in opened.content.decode()
    assert hook.status_code == 404  # the web chat has none; a login page would have answered 302
    assert inside.status_code == 302


class OwnCookie(CsrfViewMiddleware):
    """As in hosts with a domain for each of their sites: the cookie is set by rules that no setting tells."""

    def _set_csrf_cookie(self, request: HttpRequest, response: HttpResponseBase) -> None:
        response.set_cookie(settings.CSRF_COOKIE_NAME, request.META["CSRF_COOKIE"], secure=request.is_secure())


@pytest.mark.django_db
@pytest.mark.parametrize("middleware", ["tests.test_host_traps.OwnCookie", None])
def test_the_hosts_own_guard_against_forged_forms_sets_its_cookie_and_without_one_we_do(middleware: str | None) -> None:
    others = [each for each in settings.MIDDLEWARE if not each.endswith("CsrfViewMiddleware")]
    browser = Client(enforce_csrf_checks=True)
    aoi = factories.employee("aoi")
    browser.force_login(aoi.user)
    client = factories.customer(manager=aoi)

    with override_settings(MIDDLEWARE=[*others, *filter(None, [middleware])], CSRF_COOKIE_SECURE=True):
        page = browser.get(reverse("crm_contact_guard:inbox"), {"q": client.name})
        cookie = page.cookies[settings.CSRF_COOKIE_NAME]
        start = reverse("crm_contact_guard:conversation_start")
        forged = browser.post(start, {"id": str(client.pk)})
        typed = {"id": str(client.pk), "csrfmiddlewaretoken": cookie.value}
        sent = browser.post(start, typed)

    assert bool(cookie["secure"]) == (middleware is None)
    assert forged.status_code == 403
    assert sent.status_code == 302


def test_the_documented_pattern_lets_every_open_address_through_and_no_other() -> None:
    page = (Path(__file__).parents[1] / "docs" / "installation.md").read_text(encoding="utf-8")
    named = re.search(r"Let\s+`(\^/guard/\S+)` through", page)
    assert named
    values = {"str": "x", "slug": "x", "int": 1, "uuid": UUID(int=1)}
    for pattern in [*own_urls, *console_urls]:
        if not isinstance(pattern, URLPattern) or pattern.name is None:
            continue
        kinds = re.findall(r"<(\w+):", str(pattern.pattern))
        address = reverse(f"crm_contact_guard:{pattern.name}", args=[values[kind] for kind in kinds])
        is_open = getattr(pattern.callback, "login_required", True) is False
        assert bool(re.match(named[1], address)) == is_open, address


class Acting:
    """Marks the user as django-hijack and django-impersonate do."""

    mark = ""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        setattr(request.user, self.mark, True)
        return self.get_response(request)


@pytest.mark.django_db
@pytest.mark.parametrize("mark", ["is_hijacked", "is_impersonate"])
def test_who_acts_as_somebody_else_leaves_nothing_under_their_name(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    employee = factories.employee("aoi")
    talk = factories.conversation(employee)
    browser = Client()
    browser.force_login(employee.user)
    assert browser.get(reverse("crm_contact_guard:inbox")).status_code == 200
    before = Event.objects.count()
    monkeypatch.setattr(Acting, "mark", mark)
    acting = Client()
    acting.force_login(employee.user)

    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, "tests.test_host_traps.Acting"]):
        page = acting.get(reverse("crm_contact_guard:conversation", args=[talk.pk]))
        sent = acting.post(reverse("crm_contact_guard:conversation_send", args=[talk.pk]), {"text": "Hello"})
        listed = acting.get(reverse("crm_contact_guard:api-messages"))

    assert (page.status_code, sent.status_code, listed.status_code) == (403, 403, 403)
    assert not Message.objects.exists()
    assert Event.objects.count() == before


BARE = """
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="of the host",
    DEBUG=True,
    USE_TZ=True,
    STATIC_URL=None,
    ALLOWED_HOSTS=["testserver"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    ROOT_URLCONF="tests.urls",
    AUTH_USER_MODEL="host.User",
    INSTALLED_APPS=("django.contrib.auth", "django.contrib.contenttypes", "crm_contact_guard", "tests.host"),
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        "other": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    },
    DATABASE_ROUTERS=["tests.test_host_traps.OnlyDefault"],
    CONTACT_GUARD={"CUSTOMER": {"MODEL": "host.Client"}, "TASKS": "inline"},
)
django.setup()
from django.core.management import call_command
from django.db import connections
call_command("check")
call_command("migrate", verbosity=0)
call_command("migrate", database="other", verbosity=0)
call_command("makemigrations", "crm_contact_guard", check=True, dry_run=True)
from django.test import Client
assert Client().get("/guard/chat/x/").status_code == 410
assert Client().get("/guard/api/v1/conversations/").status_code == 401
print([name for name in connections["other"].introspection.table_names() if "contact_guard" in name])
"""


class OnlyDefault:
    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return db == "default" if app_label == "crm_contact_guard" else None


def test_a_bare_host_starts_answers_and_keeps_its_other_databases_clean(request: pytest.FixtureRequest) -> None:
    """Apps in a tuple; no admin, sessions, staticfiles or REST framework among them; no STATIC_URL; two databases."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-c", BARE],
        check=False,
        cwd=request.config.rootpath,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "[]"
