"""Creme CRM: contacts are children of another table and some of them staff, teams are users, superusers have no role,
and there are no static files of Django's. What ``contact_guard_init`` proposes is taken as it is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.environment import Environment
from tests.hosts.person import Person
from tests.hosts.project import Project
from tests.hosts.steps import include, propose, prove, shell, signed_in
from tests.mail_sink import Sink
from tests.ports import free_port

CREME = Path(__file__).parent / "creme"
PRESSING = "LINE交換しませんか？ID: hanako_22"
#: What the check asks for before our pages have styles there.
STATIC = 'INSTALLED_APPS += ["django.contrib.staticfiles"]\nSTATIC_URL = "guard-static/"\n'


@pytest.mark.timeout(600)
def test_into_creme_and_out_again(creme: Environment, databases: dict[str, Any], tmp_path: Path) -> None:
    port = free_port()
    shutil.copytree(CREME / "project", tmp_path / "project")
    with Sink() as sink:
        host = Project.of(tmp_path, creme, databases, sink.port)
        for command in ("migrate", "creme_populate", "generatemedia"):
            host.run(f"python -m django {command}")
        shell(host, (CREME / "people.py").read_text())
        before = {file: (tmp_path / "project" / file).read_text() for file in ("settings.py", "urls.py")}

        host.run("pip install crm-contact-guard")
        host.write("project/settings.py", 'INSTALLED_APPS += ["crm_contact_guard"]\n')
        host.write("project/settings.py", propose(host, port))
        include(host)
        assert "1 teams, 3 employees, 2 customers" in host.run("python -m django contact_guard_sync")
        assert "STATIC_URL is not set" in host.run("python -m django contact_guard_check", code=1)
        host.write("project/settings.py", STATIC)
        assert "0 errors" in host.run("python -m django contact_guard_check")
        host.run("python -m django makemigrations --check --dry-run")
        with host.serving(f"python -m django runserver {port}", port=port) as base:
            talk(base, sink)
        prove(host)

        for file, text in before.items():
            (tmp_path / "project" / file).write_text(text)
        host.run("pip uninstall --yes crm-contact-guard")
        with host.serving(f"python -m django runserver {port}", port=port) as base:
            ken = signed_in(base, "ken", "/persons/contacts")
            assert "Hanako" in ken.page
            ken.get("/guard/inbox/")
            assert ken.status == 404
        shell(host, "from creme.persons.models import Contact; Contact.objects.get(first_name='Jiro').delete()")


def talk(base: str, sink: Sink) -> None:
    """Aoi writes to Hanako, who presses; Ken, a superuser, is warned."""
    aoi = signed_in(base, "aoi", "/guard/inbox/")
    aoi.submit("/guard/inbox/", q="sato")
    assert "Saburo" not in aoi.text
    aoi.submit("/guard/inbox/", q="hanako sato")
    aoi.submit("Start a conversation")
    inbox = aoi.address
    aoi.submit("/send/", text="Your order has arrived.")
    assert "Your order has arrived." in aoi.get(inbox)
    aoi.submit("New link")
    link = re.search(rf"{base}/guard/chat/[^\"\s]+", aoi.page)
    assert link, aoi.text

    hanako = Person(base, "ja")
    hanako.get(link[0])
    hanako.submit("form_token", text=PRESSING)

    aoi.wait_for(inbox, PRESSING)
    ken = signed_in(base, "ken", "/guard/")
    ken.wait_for("/guard/", "Hanako Sato")
    warned = sink.next_mail(60)
    assert "ken@kaede.example" in str(warned["To"])
    assert "/guard/alerts/" in str(warned.get_body())
