"""The tutorial, carried out to the letter in django-crm-admin; then what a company does, and the way out again."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.environment import Environment
from tests.hosts.person import Person
from tests.hosts.project import Project
from tests.hosts.tutorial import Step, steps
from tests.mail_sink import Sink
from tests.ports import free_port

PEOPLE = Path(__file__).parent / "crm_admin" / "people.py"
PRESSING = "LINE交換しませんか？ID: hanako_22"
INSTALL, PREPARE, MESSAGE, WARNING, PROOF, OUT = (
    "Install",
    "Key, tables, people",
    "The first message",
    "The first warning",
    "The first proof",
    "And out again",
)
#: What a host has that the tutorial need not tell: where its database is, and a mail server that answers.
HOST = """
DATABASES = {databases!r}
EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = "127.0.0.1", {mail}, False, "", ""
MEDIA_ROOT = BASE_DIR.__class__({media!r})
"""
MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kaede.settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""


def test_the_tutorial_keeps_its_promises() -> None:
    page = steps(8000)
    till_message = [step for heading, step in page.items() if heading in (INSTALL, PREPARE, MESSAGE)]
    settings, addresses = (text.strip() for _name, text in page[INSTALL].files)

    assert len(settings.splitlines()) <= 15
    assert sum("include(" in line for line in addresses.splitlines()) == 1
    assert all(isinstance(node, ast.ImportFrom | ast.AugAssign) for node in ast.parse(addresses).body)
    assert sum(len(step.commands) for step in [*till_message, page[PROOF]]) <= 10


@pytest.mark.timeout(600)
def test_into_the_crm_and_out_again(crm_admin: Environment, databases: dict[str, Any], tmp_path: Path) -> None:
    port = free_port()
    page = steps(port)
    crm = Project(tmp_path, crm_admin)
    with Sink() as sink:
        begin(crm)
        carry_out(crm, page[""])
        crm.write("kaede/settings.py", HOST.format(databases=databases, mail=sink.port, media=str(tmp_path / "media")))
        crm.run("python manage.py setupdata")
        ask(crm, PEOPLE.read_text())
        before = contents(crm)

        carry_out(crm, page[INSTALL])
        said = carry_out(crm, page[PREPARE])

        assert all(line in said for line in page[PREPARE].expected), said
        assert "3 teams, 4 employees, 1 customers" in said
        crm.run("python manage.py makemigrations --check --dry-run")
        with crm.serving(*page[MESSAGE].commands, port=port) as base:
            talk(base)
            mail = sink.next_mail(60)
            assert mail["To"] == "ken@kaede.example"
            assert PRESSING not in str(mail.get_body())
        proved = carry_out(crm, page[PROOF])
        assert "All holds." in proved

        after = contents(crm)
        put_back(crm, before)
        crm.run("python manage.py check")
        with crm.serving(f"python manage.py runserver {port}", port=port) as base:
            works(base)
        ask(crm, LEAVES)

        put_back(crm, after)
        carry_out(crm, page[OUT])
        put_back(crm, before)
        left = ask(crm, TABLES)
        assert "crm_contact'" in left
        assert "contact_guard" not in left


TABLES = "from django.db import connection; print(connection.introspection.table_names())"
#: An employee leaves; the tables that stayed behind must not hold on to the row.
LEAVES = "from django.contrib.auth.models import User; print(User.objects.get(username='aoi').delete())"


def begin(crm: Project) -> None:
    crm.write("manage.py", MANAGE)
    crm.write("kaede/__init__.py", "")
    (crm.folder / "media").mkdir()


def ask(crm: Project, code: str) -> str:
    """What a piece of Python prints within the CRM."""
    return crm.run(f"python manage.py shell --no-imports --command {shlex.quote(code)}")


def contents(crm: Project) -> dict[str, str]:
    return {file: (crm.folder / file).read_text() for file in ("kaede/settings.py", "kaede/urls.py")}


def put_back(crm: Project, files: dict[str, str]) -> None:
    for file, text in files.items():
        (crm.folder / file).write_text(text)


def carry_out(crm: Project, step: Step) -> str:
    for name, text in step.files:
        crm.write(name, f"\n{text}")
    return "".join(crm.run(command) for command in step.commands)


def signed_in(base: str, name: str, path: str) -> Person:
    person = Person(base)
    person.get(path)
    assert "login" in person.address, person.address
    person.submit("password", username=name, password="correct horse")
    return person


def talk(base: str) -> None:
    """What the tutorial has Aoi, Hanako and Ken do, as they would."""
    aoi = signed_in(base, "aoi", "/guard/inbox/")
    assert "/guard/inbox/" in aoi.address
    aoi.submit("/guard/inbox/", q="Sato")
    aoi.submit("Start a conversation")
    inbox = aoi.address
    aoi.submit("/send/", text="Your order has arrived.")
    assert "Your order has arrived." in aoi.get(inbox)
    aoi.submit("New link")
    link = re.search(rf"{base}/guard/chat/[^\"\s]+", aoi.page)
    assert link, aoi.text

    hanako = Person(base, "ja")
    hanako.get(link[0])
    assert "Your order has arrived." in hanako.text
    hanako.submit("form_token", text="ありがとうございます。")
    hanako.submit("form_token", text=PRESSING)

    aoi.wait_for(inbox, PRESSING)
    aoi.submit("/send/", text="Thank you, but I may write only here.")
    hanako.wait_for("/guard/chat/", "I may write only here.")
    ken = signed_in(base, "ken", "/guard/")
    ken.wait_for("/guard/", "Hanako Sato")
    alert = re.search(r'href="(/guard/alerts/[0-9a-f-]{36}/)', ken.page)
    assert alert, ken.text
    assert "hanako_22" in ken.get(alert[1])
    ken.submit("/claim/")
    ken.get(alert[1])
    ken.submit("/close/", resolution="no_action", comment="Aoi refused well.")
    assert ken.status == 200, ken.text
    assert "Hanako Sato" not in Person(base).get("/guard/")


def works(base: str) -> None:
    """The host's own pages answer, and ours are gone."""
    aoi = signed_in(base, "aoi", "/en/123/")
    assert aoi.status == 200
    assert "Sato" in aoi.get("/en/123/crm/contact/")
    aoi.get("/guard/")
    assert aoi.status == 404
