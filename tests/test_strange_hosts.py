"""Hosts set up as nobody expects: a customer's message is recorded, warns, and is read, whatever the settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core import checks

#: What each host has that others do not.
HOSTS = {
    "script prefix, no slash appended": 'settings.FORCE_SCRIPT_NAME = "/crm"; settings.APPEND_SLASH = False',
    "a transaction around each request": 'settings.DATABASES["default"]["ATOMIC_REQUESTS"] = True',
    "sessions in the cache": 'settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"',
    "signed cookies for sessions": 'settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"',
    "no locale middleware": 'settings.MIDDLEWARE.remove("django.middleware.locale.LocaleMiddleware")',
    "no translations": 'settings.USE_I18N = False; settings.LANGUAGE_CODE = "de"',
    "another language only": 'settings.LANGUAGES = [("de", "Deutsch")]; settings.LANGUAGE_CODE = "de"',
    "small keys by default": 'settings.DEFAULT_AUTO_FIELD = "django.db.models.AutoField"',
    "REST defaults of its own": (
        "settings.REST_FRAMEWORK = {'DEFAULT_RENDERER_CLASSES': ['rest_framework.renderers.StaticHTMLRenderer'],"
        " 'DEFAULT_PERMISSION_CLASSES': ['rest_framework.permissions.IsAdminUser'], 'UNAUTHENTICATED_USER': None,"
        " 'DEFAULT_AUTHENTICATION_CLASSES': [], 'DEFAULT_VERSIONING_CLASS':"
        " 'rest_framework.versioning.AcceptHeaderVersioning', 'EXCEPTION_HANDLER': 'host.lost'}"
    ),
    "templates by Jinja first": (
        'settings.TEMPLATES.insert(0, {"BACKEND": "django.template.backends.dummy.TemplateStrings", "DIRS": []})'
    ),
    "addresses below the language": 'settings.ROOT_URLCONF = "tests.strange_urls"',
    "a number of formats": "settings.USE_THOUSAND_SEPARATOR = True",
    "strict cookies": "settings.CSRF_USE_SESSIONS = True; settings.SESSION_COOKIE_SAMESITE = 'Strict'",
}
LIFE = """
import django
from django.core.management import call_command
from tests import settings
{host}
django.setup()
call_command("migrate", verbosity=0)
call_command("makemigrations", "crm_contact_guard", check=True, dry_run=True, verbosity=0)
import re
from django.test import Client
from django.urls import reverse
from crm_contact_guard.ledger.links import link_create
from crm_contact_guard.ledger.models import Message
from crm_contact_guard.ledger.sealing import seal
from crm_contact_guard.ledger.verification import verify
from crm_contact_guard.supervision.models import Alert
from tests import factories
clerk = factories.employee("aoi", branch=factories.team(head="sora"))
talk = factories.conversation(clerk)
_link, token = link_create(conversation=talk, created_by=clerk)

def to(name, *args):
    return reverse("crm_contact_guard:" + name, args=args).removeprefix("/crm")

guest = Client(enforce_csrf_checks=True)
assert guest.get(to("chat", token)).status_code == 302
page = guest.get(to("chat_page")).content.decode()
form = dict(re.findall(r'name="(form_token|key)" value="([^"]*)"', page))
assert guest.post(to("chat_page"), {{**form, "text": "LINE交換しませんか？ID: hanako_22"}}).status_code in (200, 302)
assert Message.objects.get().text.startswith("LINE")
alert = Alert.objects.get()
aoi, sora = Client(), Client()
aoi.force_login(clerk.user), sora.force_login(alert.addressee.user)
assert "hanako_22" in aoi.get(to("conversation", talk.pk)).content.decode()
assert sora.get(to("dashboard")).status_code == sora.get(to("alert", alert.pk)).status_code == 200
assert sora.post(to("alert_close", alert.pk), {{"resolution": "no_action", "comment": ""}}).status_code == 302
sent = aoi.post(to("conversation_send", talk.pk), {{"text": "恐れ入りますが、当館の窓口でお願いします。"}})
assert sent.status_code in (200, 302), sent.content
listed = aoi.get("/guard/api/v1/messages/" if "strange" not in settings.ROOT_URLCONF else "/en/guard/api/v1/messages/")
assert listed.status_code == 200 and listed.json()["results"], listed.content
assert Client().get(to("health_ready")).status_code == 200
seal()
assert not verify().faults
print("well")
"""


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
def test_a_strange_host_records_warns_and_reads(host: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    code = LIFE.format(host=host)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        check=False,
        cwd=request.config.rootpath,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
    )

    assert done.stdout.splitlines()[-1:] == ["well"], done.stderr[-3000:]


def test_a_host_with_naive_times_is_told_before_anything_is_lost(settings: Any) -> None:
    settings.USE_TZ = False

    found = [message for message in checks.run_checks(tags=["crm_contact_guard"]) if message.id.endswith("E020")]

    assert len(found) == 1
    assert "USE_TZ" in str(found[0].hint)
