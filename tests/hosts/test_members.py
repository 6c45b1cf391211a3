"""An association's member administration, byro: a middleware decides by the names of URLs who may come in without a
login and asks a signal for more, another activates the language of the settings, here German. Members have nobody in
charge, and there are no teams. What ``contact_guard_init`` proposes is taken as it is."""

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

MEMBERS = Path(__file__).parent / "members"
PRESSING = "LINE交換しませんか？ID: hanako_22"
SHUT = "byro.common.middleware.PermissionMiddleware blocks {}"
MISSING = (
    SHUT.format("the web chat for visitors without a login (302 to /login/?next=/guard/chat/x/)"),
    SHUT.format("the API for programs with a token (302 to /login/?next=/guard/api/v1/conversations/)"),
)


@pytest.mark.timeout(600)
def test_into_the_association_and_out_again(members: Environment, databases: dict[str, Any], tmp_path: Path) -> None:
    port = free_port()
    shutil.copytree(MEMBERS / "project", tmp_path / "project")
    with Sink() as sink:
        host = Project.of(tmp_path, members, databases, sink.port)
        host.run("python -m django migrate")
        shell(host, (MEMBERS / "people.py").read_text())
        before = {file: (tmp_path / "project" / file).read_text() for file in ("settings.py", "urls.py")}

        host.run("pip install crm-contact-guard")
        host.write("project/settings.py", 'INSTALLED_APPS += ["crm_contact_guard"]\n')
        host.write("project/settings.py", propose(host, port))
        include(host)
        assert "1 teams, 2 employees, 1 customers" in host.run("python -m django contact_guard_sync")
        said = host.run("python -m django contact_guard_check", code=1)
        assert [words for words in MISSING if words not in said] == [], said
        assert "staff pages ask for a login" in said

        # docs/installation.md, Middleware: a list of URL names that asks a signal.
        host.write("project/urls.py", (MEMBERS / "receiver.py").read_text())
        checked = host.run("python -m django contact_guard_check")
        assert "0 errors" in checked
        assert "a supervisor (2) opens the inbox" in checked
        host.run("python -m django makemigrations --check --dry-run crm_contact_guard")
        with host.serving(f"python -m django runserver {port}", port=port) as base:
            talk(base, sink)
        prove(host)

        for file, text in before.items():
            (tmp_path / "project" / file).write_text(text)
        host.run("pip uninstall --yes crm-contact-guard")
        with host.serving(f"python -m django runserver {port}", port=port) as base:
            ken = signed_in(base, "ken", "/members/list")
            assert "Hanako" in ken.get("/members/list?filter=all")
        shell(host, "from django.contrib.auth.models import User; User.objects.get(username='aoi').delete()")


def talk(base: str, sink: Sink) -> None:
    """Aoi writes to Hanako, who presses; Ken is warned. All of it in English, though the host speaks German."""
    aoi = signed_in(base, "aoi", "/guard/inbox/")
    assert '<html lang="en">' in aoi.page
    aoi.submit("/guard/inbox/", q="sato")
    aoi.submit("Start a conversation")
    inbox = aoi.address
    aoi.submit("/send/", text="Your order has arrived.")
    aoi.get(inbox)
    aoi.submit("New link")
    link = re.search(rf"{base}/guard/chat/[^\"\s]+", aoi.page)
    assert link, aoi.text

    hanako = Person(base, "de")
    hanako.get(link[0])
    assert "This conversation is kept by Kaede" in hanako.text
    hanako.submit("form_token", text=PRESSING)

    aoi.wait_for(inbox, PRESSING)
    assert sink.next_mail(60)["To"] == "ken@kaede.example"
    ken = signed_in(base, "ken", "/guard/")
    assert "Hanako Sato" in ken.page
