"""A CRM of many organisations: users without groups, a profile per organisation, JSON and tokens instead of pages, a
middleware that refuses whoever has no organisation, and row security that shows a process nothing without one."""

from __future__ import annotations

import json
import re
import shutil
import smtplib
import urllib.parse
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.hosts.environment import Environment
from tests.hosts.project import Project
from tests.hosts.steps import include, propose, prove, shell, signed_in
from tests.mail_sink import Sink
from tests.ports import free_port
from tests.service_urls import POSTGRESQL

ORGS = Path(__file__).parent / "orgs"
PRESSING = "LINE交換しませんか？ID: hanako_22"
ROLE = "contact_guard_host_site"


@pytest.fixture
def bound(databases: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The databases as somebody whom row security binds: on PostgreSQL, a role that is no superuser."""
    default = databases["default"]
    if "postgresql" not in default["ENGINE"]:
        yield databases
        return
    with psycopg.connect(POSTGRESQL, autocommit=True) as server:
        server.execute(f"DROP ROLE IF EXISTS {ROLE}")
        server.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'correct horse'")
        server.execute(f"ALTER DATABASE {default['NAME']} OWNER TO {ROLE}")
    yield {"default": {**default, "USER": ROLE, "PASSWORD": "correct horse"}}
    with psycopg.connect(POSTGRESQL, autocommit=True) as server:
        server.execute(f"DROP DATABASE {default['NAME']} WITH (FORCE)")
        server.execute(f"DROP ROLE {ROLE}")


@pytest.mark.timeout(600)
def test_into_the_organisations_and_out_again(orgs: Environment, bound: dict[str, Any], tmp_path: Path) -> None:
    port, mail_port = free_port(), free_port()
    shutil.copytree(ORGS / "project", tmp_path / "project")
    with Sink() as sink:
        host = Project.of(tmp_path, orgs, bound, sink.port)
        host.run("python -m django migrate --run-syncdb")
        shell(host, (ORGS / "people.py").read_text())
        before = {file: (tmp_path / "project" / file).read_text() for file in ("settings.py", "urls.py")}

        install(host, port)
        assert "2 teams, 4 employees, 2 customers" in host.run("python -m django contact_guard_sync")
        checked = host.run("python -m django contact_guard_check")
        assert "0 errors" in checked
        assert "customers reach the web chat without signing in" in checked
        host.run("python -m django makemigrations --check --dry-run crm_contact_guard")
        tokens = {name: shell(host, TOKEN.format(name=name)).strip() for name in ("aoi", "emi")}
        with (
            host.serving(f"python -m django runserver {port}", port=port) as base,
            host.serving(f"python -m django contact_guard_receive_mail --port {mail_port}", port=mail_port),
        ):
            talk(base, sink, mail_port, tokens)
        prove(host)

        for file, text in before.items():
            (tmp_path / "project" / file).write_text(text)
        host.run("pip uninstall --yes crm-contact-guard")
        with host.serving(f"python -m django runserver {port}", port=port) as base:
            assert "Hanako" in json.dumps(asked(base, "/api/contacts/", tokens["aoi"]))
            assert "Hanako" not in json.dumps(asked(base, "/api/contacts/", tokens["emi"]))
        shell(host, "from common.models import User; print(User.objects.get(email='aoi@kaede.example').delete())")


#: As the host's own sign-in makes one.
TOKEN = """
from common.models import Profile
from common.serializer import OrgAwareRefreshToken
profile = Profile.objects.get(user__email__startswith='{name}')
print(OrgAwareRefreshToken.for_user_and_org(profile.user, profile.org, profile).access_token)
"""


def install(host: Project, port: int) -> None:
    host.run("pip install crm-contact-guard")
    host.write("project/settings.py", 'INSTALLED_APPS += ["crm_contact_guard"]\n')
    host.write("project/settings.py", propose(host, port))
    host.write("project/settings.py", (ORGS / "guard_settings.py").read_text())
    include(host)


def asked(base: str, path: str, token: str, data: dict[str, Any] | None = None) -> Any:
    """What the site answers a program that has a token of the host's."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = None if data is None else json.dumps(data).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{base}{path}", body, headers), timeout=60) as answer:
        return json.load(answer)


def talk(base: str, sink: Sink, mail_port: int, tokens: dict[str, str]) -> None:
    """Hanako mails Aoi of Kaede, who answers by the host's own token; she presses, and Ken alone is warned."""
    mail("Is my order ready?", mail_port, to="reply@kaede.example", number=1)
    [talking] = asked(base, "/guard/api/v1/conversations/", tokens["aoi"])["results"]
    assert asked(base, "/guard/api/v1/conversations/", tokens["emi"])["results"] == []

    sent = asked(
        base,
        f"/guard/api/v1/conversations/{talking['id']}/messages/",
        tokens["aoi"],
        {"text": "It is, come by any time."},
    )
    assert sent["message"]["text"] == "It is, come by any time."
    answer = sink.next_mail(60)
    assert answer["To"].addresses[0].addr_spec == "hanako@mail.example"

    mail(PRESSING, mail_port, to=str(answer["Reply-To"]), number=2)
    warned = sink.next_mail(60)
    assert warned["To"] == "ken@kaede.example"
    alert = re.search(r"/guard/alerts/[0-9a-f-]{36}/", str(warned.get_body()))
    assert alert

    ken = signed_in(base, "ken@kaede.example", alert[0])
    assert "hanako_22" in ken.page
    rei = signed_in(base, "rei@momiji.example", alert[0])
    assert rei.status == 404
    assert "Hanako" not in rei.get("/guard/")


def mail(text: str, port: int, *, to: str, number: int) -> None:
    message = EmailMessage()
    message["From"] = "Hanako Sato <hanako@mail.example>"
    message["To"] = to
    message["Subject"] = "My order"
    message["Message-ID"] = f"<{number}@mail.example>"
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(message)
