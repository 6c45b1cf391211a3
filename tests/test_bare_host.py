"""A host without one of Django's own apps: each module of ours can be imported, and a customer's message warns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HOST = Path(__file__).parent / "hosts" / "plain"
#: What the host adds to its settings for us.
GUARD = """
import django
from django.conf import settings
settings.INSTALLED_APPS.append("crm_contact_guard")
settings.ALLOWED_HOSTS = ["testserver"]
settings.ROOT_URLCONF = "ours"
settings.CONTACT_GUARD = {
    "COMPANY_NAME": "Kaede",
    "PUBLIC_URL": "http://127.0.0.1",
    "CUSTOMER": {"MODEL": "people.Client", "NAME": "full_name", "EMAIL": "email", "PHONE": "gsm", "OWNER": "seller"},
    "EMPLOYEE": {"ROLE": "role", "ROLES": {"seller": "employee", "manager": "supervisor"}, "TEAMS": "office"},
    "TEAM": {"MODEL": "people.Office"},
    "CHANNELS": {"chat": {"BACKEND": "crm_contact_guard.channels.webchat.WebChatChannel"}},
    "TASKS": "inline",
}
django.setup()
"""
IMPORTS = """
import importlib, pkgutil
import crm_contact_guard
names = [found.name for found in pkgutil.walk_packages(crm_contact_guard.__path__, "crm_contact_guard.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
assert len(names) > 300, names
"""
LIFE = """
from django.core.management import call_command
from django.test import Client as Browser
from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.tokens.issuing import token_create
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.supervision.models import Alert
import re
call_command("migrate", verbosity=0)
exec(open({people!r}).read())
call_command("contact_guard_sync", verbosity=0)
seller, head = Employee.objects.order_by("key")
talk = conversation_open(customer=Customer.objects.get(), channel="chat")
_link, token = chat_link_create(conversation=talk, created_by=seller)
guest = Browser()
page = guest.get(f"/guard/chat/{{token}}/", follow=True).content.decode()
form = dict(re.findall(r'name="(form_token|key)" value="([^"]*)"', page))
assert guest.post("/guard/chat/", {{**form, "text": "LINE交換しませんか？ID: hanako_22"}}).status_code in (200, 302)
assert Alert.objects.get().addressee == head
stranger, ken = Browser(), Browser()
refused = stranger.get("/guard/alerts/?page=2")
assert (refused.status_code, refused["Location"]) == (302, "/sign-in/?next=/guard/alerts/%3Fpage%3D2"), refused
assert stranger.get("/guard/api/v1/alerts/").status_code == 401
ken.post("/sign-in/", {{"login": "ken", "secret": "correct horse"}})
assert "Hanako Sato" in ken.get("/guard/").content.decode()
for headers in ({{"authorization": "Bearer " + token_create(employee=head, name="x").text}}, {{}}):
    told = ken.get("/guard/api/v1/alerts/", headers=headers)
    assert len(told.json()["results"]) == 1, told.content
wrong = stranger.get("/guard/api/v1/alerts/", headers={{"authorization": "Bearer ccg_wrong"}})
assert wrong.status_code == 401, wrong.content
assert ken.get("/guard/api/v1/schema/").status_code == 200
"""


@pytest.mark.parametrize("code", [IMPORTS, LIFE.format(people=str(HOST / "people.py"))], ids=["imports", "life"])
def test_a_host_without_apps_of_djangos(code: str, tmp_path: Path) -> None:
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "crm.sqlite3")}}
    urls = "from django.urls import include, path\nfrom project.urls import urlpatterns\n"
    (tmp_path / "ours.py").write_text(f'{urls}urlpatterns += [path("guard/", include("crm_contact_guard.urls"))]\n')

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f'{GUARD}{code}\nprint("well")'],
        check=False,
        cwd=tmp_path,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "PYTHONPATH": os.pathsep.join([str(HOST), str(tmp_path), str(HOST.parents[2])]),
            "HOST_DATABASES": json.dumps(databases),
            "HOST_MAIL_PORT": "1",
        },
        capture_output=True,
        text=True,
    )

    assert done.stdout.splitlines()[-1:] == ["well"], done.stderr[-3000:]
