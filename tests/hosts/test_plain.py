"""A CRM without one of Django's own apps: its own people, its own sign-in, neither sessions nor permissions. No living
one is on PyPI, so it is built like those that companies wrote themselves. What is proposed is taken as it is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.environment import Environment
from tests.hosts.person import Person
from tests.hosts.project import Project
from tests.hosts.steps import include, propose, prove, shell
from tests.mail_sink import Sink
from tests.ports import free_port

PLAIN = Path(__file__).parent / "plain"
PRESSING = "LINE交換しませんか？ID: hanako_22"


@pytest.mark.timeout(600)
def test_into_the_plain_crm_and_out_again(plain: Environment, databases: dict[str, Any], tmp_path: Path) -> None:
    port = free_port()
    shutil.copytree(PLAIN / "project", tmp_path / "project")
    with Sink() as sink:
        host = Project.of(tmp_path, plain, databases, sink.port)
        host.run("python -m django migrate")
        shell(host, (PLAIN / "people.py").read_text())
        before = {file: (tmp_path / "project" / file).read_text() for file in ("settings.py", "urls.py")}

        host.run("pip install crm-contact-guard")
        host.write("project/settings.py", 'INSTALLED_APPS += ["crm_contact_guard"]\n')
        host.write("project/settings.py", propose(host, port))
        include(host)
        assert "1 teams, 2 employees, 1 customers" in host.run("python -m django contact_guard_sync")
        checked = host.run("python -m django contact_guard_check")
        assert "0 errors" in checked
        assert "a supervisor (2) opens the inbox, once the host's sign-in has set request.user" in checked
        host.run("python -m django makemigrations --check --dry-run")
        assert shell(host, ADDRESSES).split() == ["hanako@mail.example", "+819012345678"]
        with host.serving(f"python -m django runserver {port}", port=port) as base:
            talk(base, sink)
        prove(host)

        host.run("python -m django migrate crm_contact_guard zero")
        for file, text in before.items():
            (tmp_path / "project" / file).write_text(text)
        host.run("pip uninstall --yes crm-contact-guard")
        with host.serving(f"python -m django runserver {port}", port=port) as base:
            assert "Hanako" in signed_in(base, "aoi", "/clients/").page
        shell(host, "from project.people.models import Person; Person.objects.get(login='aoi').delete()")


ADDRESSES = """
from crm_contact_guard.directory.models import Customer
print(*(address.normalised for address in Customer.objects.get().addresses.all()))
"""


def signed_in(base: str, name: str, path: str) -> Person:
    person = Person(base)
    person.get(path)
    assert "sign-in" in person.address, person.address
    person.submit("secret", login=name, secret="correct horse")
    return person


def talk(base: str, sink: Sink) -> None:
    """Aoi writes to Hanako, who presses; Ken is warned."""
    aoi = signed_in(base, "aoi", "/guard/inbox/")
    aoi.submit("/guard/inbox/", q="sato")
    aoi.submit("Start a conversation")
    inbox = aoi.address
    aoi.submit("/send/", text="Your order has arrived.")
    aoi.get(inbox)
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
    assert warned["To"] == "ken@kaede.example"
