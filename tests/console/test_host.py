"""Inside the host's own pages, and in its languages, zones and templates."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template import engines
from django.test import RequestFactory, override_settings
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from crm_contact_guard.console import times
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.record.models import Conversation, Event
from tests import factories
from tests.console.conftest import ALWAYS, Hotel, says, url
from tests.host.models import Client as Guest

PAGE = "{% load contact_guard %}{% contact_guard_assets %}<p>{% contact_guard_panel guest %}</p>"


def panel(person: Employee | None, guest: Any) -> str:
    request = RequestFactory().get("/clients/7/?tab=2")
    request.LANGUAGE_CODE = "en"  # as the host's LocaleMiddleware leaves it
    if person is not None:
        request.user = person.user
    return engines["django"].from_string(PAGE).render({"guest": guest}, request)


def guest_of(conversation: Conversation) -> Guest:
    return Guest.objects.get(pk=conversation.customer.key)


def test_the_panel_holds_the_talk_and_the_composer(hotel: Hotel) -> None:
    says(hotel.talk, "Is the pool <open>?")

    html = panel(hotel.people["aoi"], guest_of(hotel.talk))

    assert "Is the pool &lt;open&gt;?" in html
    assert f'action="{url("conversation_send", hotel.talk.pk)}"' in html
    assert 'name="back" value="/clients/7/?tab=2"' in html
    assert f'href="{url("inbox_conversation", hotel.talk.pk)}"' in html
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html)


def test_the_panel_of_a_colleague_shows_no_content(hotel: Hotel) -> None:
    says(hotel.other, "secret words")

    html = panel(hotel.people["aoi"], guest_of(hotel.other))

    assert "secret words" not in html
    assert "Ren looks after this customer." in html
    assert url("conversation_start") not in html


def test_a_supervisor_reads_in_the_panel_and_that_is_recorded(hotel: Hotel) -> None:
    says(hotel.talk, "some words")

    html = panel(hotel.people["chief"], guest_of(hotel.talk))

    assert "some words" in html
    assert "data-cg-composer" not in html
    assert Event.objects.get(kind="view.content").actor == str(hotel.people["chief"].pk)


@pytest.mark.parametrize("guest", [None, "", "no-such-key"])
def test_the_panel_never_breaks_the_hosts_page(hotel: Hotel, guest: object) -> None:
    assert "<p></p>" in panel(hotel.people["aoi"], guest)


def test_the_panel_is_empty_for_others(hotel: Hotel) -> None:
    guest = guest_of(hotel.talk)

    assert "<p></p>" in panel(None, guest)
    assert "<p></p>" in engines["django"].from_string(PAGE).render({"guest": guest})


def test_a_conversation_is_started_from_the_panel_once(hotel: Hotel) -> None:
    guest = Guest.objects.create(full_name="Maria Cruz", manager=hotel.people["aoi"].user)
    html = panel(hotel.people["aoi"], guest)
    form = dict(re.findall(r'name="(id|back)" value="([^"]+)"', html))
    assert form == {"id": str(Customer.objects.get(key=str(guest.pk)).pk), "back": "/clients/7/?tab=2"}

    for _ in range(2):
        assert hotel.post("aoi", "conversation_start", data=form)["Location"] == "/clients/7/?tab=2"

    made = Conversation.objects.get(customer__key=str(guest.pk))
    assert made.employee == hotel.people["aoi"]


@pytest.mark.parametrize("who", ["ren", "auditor", "boss"])
def test_a_conversation_with_a_strangers_customer_is_not_started(hotel: Hotel, who: str) -> None:
    guest = Guest.objects.create(full_name="Maria Cruz", manager=hotel.people["aoi"].user)

    assert hotel.post(who, "conversation_start", data={"customer": str(guest.pk)}).status_code == 403
    assert hotel.post("aoi", "conversation_start", data={"customer": "nonsense"}).status_code == 403
    assert Conversation.objects.count() == 2


def test_assets_leave_htmx_to_a_host_that_has_it(hotel: Hotel) -> None:
    template = engines["django"].from_string("{% load contact_guard %}{% contact_guard_assets htmx=False %}")

    html = template.render({})

    assert "live.js" in html
    assert "htmx" not in html


def test_pages_stand_in_the_hosts_own_template(hotel: Hotel) -> None:
    base = (
        "<html><head><title>{% block contact_guard_title %}{% endblock %}</title>"
        "{% block contact_guard_head %}{% endblock %}</head>"
        "<body>HOST {% block contact_guard_content %}{% endblock %}</body></html>"
    )
    templates = [
        {
            **settings.TEMPLATES[0],
            "APP_DIRS": False,
            "OPTIONS": {
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"host/base.html": base}),
                    "django.template.loaders.app_directories.Loader",
                ]
            },
        }
    ]
    given = {**settings.CONTACT_GUARD, "BASE_TEMPLATE": "host/base.html"}
    with override_settings(TEMPLATES=templates, CONTACT_GUARD=given):
        html = hotel.get("aoi", "inbox").content.decode()

    assert "<body>HOST " in html
    assert "<title>Inbox" in html
    assert "htmx.min.js" in html


def test_the_hosts_choice_of_language_counts(hotel: Hotel) -> None:
    html = hotel.get("aoi", "inbox", headers={"accept-language": "ja"}).content.decode()

    assert "受信箱" in html


def test_without_the_hosts_middleware_the_employees_language_counts_until_they_switch(hotel: Hotel) -> None:
    without = [name for name in settings.MIDDLEWARE if "LocaleMiddleware" not in name]
    with override_settings(MIDDLEWARE=without):
        assert "受信箱" in hotel.get("aoi", "inbox").content.decode()
        hotel.post("aoi", "language_set", data={"language": "en", "next": url("inbox")})
        assert "Inbox" in hotel.get("aoi", "inbox").content.decode()


def test_times_stand_in_the_readers_zone(hotel: Hotel) -> None:
    at = datetime(2026, 3, 2, 20, 30, tzinfo=UTC)
    says(hotel.talk, "late", occurred_at=at)
    berlin = factories.employee("klaus", branch=None, zone="Europe/Berlin", hours=ALWAYS)
    hotel.people["klaus"] = berlin

    tokyo = hotel.get("aoi", "conversation", hotel.talk.pk).content.decode()
    hotel.talk.employee = berlin
    hotel.talk.save()
    german = hotel.get("klaus", "conversation", hotel.talk.pk).content.decode()

    assert '<time datetime="2026-03-02T20:30:00+00:00" title="3 March 2026, 05:30:00 JST">05:30</time>' in tokyo
    assert 'title="2 March 2026, 21:30:00 CET">21:30</time>' in german


@pytest.mark.parametrize(
    ("before", "english", "japanese"),
    [
        (timedelta(seconds=20), "just now", "たった今"),
        (timedelta(minutes=5), "5 min ago", "5分前"),
        (timedelta(hours=2), "2 hours ago", "2時間前"),
        (timedelta(days=2), "22 Nov, 18:00", "11月22日 18:00"),
        (timedelta(days=400), "20 Oct 2025, 18:00", "2025年10月20日 18:00"),
    ],
)
def test_relative_for_today_else_date_and_time(
    monkeypatch: pytest.MonkeyPatch, before: timedelta, english: str, japanese: str
) -> None:
    now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)

    with timezone.override("Asia/Tokyo"):
        with translation.override("en"):
            assert times.ago(now - before) == english
        with translation.override("ja"):
            assert times.ago(now - before) == japanese


def test_the_warning_mail_carries_kind_people_and_link_and_no_content(
    hotel: Hotel, django_capture_on_commit_callbacks: Any, mailoutbox: list[Any]
) -> None:
    hotel.people["chief"].language = "ja"
    hotel.people["chief"].save()
    with django_capture_on_commit_callbacks(execute=True):
        says(hotel.talk, "LINE交換しませんか？ID: hanako_22")

    mail = next(mail for mail in mailoutbox if mail.to == ["chief@kaede.example"])
    assert "Hanako Sato様からAoi" in mail.subject
    assert "http://testserver/guard/alerts/" in mail.body
    assert "お客様: Hanako Sato" in mail.body
    assert "hanako_22" not in mail.subject + mail.body
    assert "&" not in mail.body


def test_the_panel_stands_in_a_page_by_jinja2(hotel: Hotel) -> None:
    """The environment of docs/installation.md, to the letter."""
    text = (Path(__file__).parents[2] / "docs" / "installation.md").read_text(encoding="utf-8")
    block = re.search(r"^```python\n# crm/jinja2\.py\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert block
    scope: dict[str, Any] = {}
    exec(block[1], scope)
    environment = scope["environment"](autoescape=True)
    page = environment.from_string(
        "{{ contact_guard_assets(request) }}<p>{{ contact_guard_panel(request, guest) }}</p>"
    )
    says(hotel.talk, "some words")
    request = RequestFactory().get("/clients/7/")
    request.user = hotel.people["aoi"].user

    html = page.render(request=request, guest=guest_of(hotel.talk))

    assert "some words" in html
    assert "&lt;section" not in html
    assert '<script src="/static/crm_contact_guard/js/live.js"' in html


class Policy:
    """Gives each page a nonce as django-csp does: made, and noted, when the page asks."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        request.csp_nonce = SimpleLazyObject(lambda: self.made(request))
        return self.get_response(request)

    def made(self, request: Any) -> str:
        request._csp_nonce = "r4nd0m"
        return "r4nd0m"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "script-src 'self' 'nonce-r4nd0m'"),
        ({"script-src": ["https://cdn.example"]}, "script-src 'self' https://cdn.example 'nonce-r4nd0m'"),
        ({"script-src": ["'unsafe-inline'"]}, "script-src 'self' 'unsafe-inline';"),
    ],
)
def test_scripts_carry_the_nonce_of_the_hosts_policy(hotel: Hotel, given: dict[str, list[str]], expected: str) -> None:
    guard = {**settings.CONTACT_GUARD, "CONTENT_SECURITY_POLICY": given}

    with override_settings(MIDDLEWARE=[f"{__name__}.Policy", *settings.MIDDLEWARE], CONTACT_GUARD=guard):
        response = hotel.get("aoi", "inbox")

    assert expected in response["Content-Security-Policy"]
    assert re.search(r'<script src="[^"]+/live.js" nonce="r4nd0m" defer>', response.content.decode())
