"""A helpdesk whose customers are e-mail addresses on tickets, whose users have UUIDs and no groups, and whose
middleware wants a login everywhere."""

from __future__ import annotations

import shutil
import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.environment import Environment
from tests.hosts.project import Project
from tests.hosts.steps import include, prove, shell, signed_in
from tests.mail_sink import Sink
from tests.ports import free_port

DESK = Path(__file__).parent / "desk"
PRESSING = "LINE交換しませんか？ID: hanako_22"


@pytest.mark.timeout(600)
def test_into_the_helpdesk_and_out_again(helpdesk: Environment, databases: dict[str, Any], tmp_path: Path) -> None:
    port = free_port()
    shutil.copytree(DESK / "project", tmp_path / "project")
    with Sink() as sink:
        desk = Project.of(tmp_path, helpdesk, databases, sink.port)
        desk.run("python -m django migrate")
        shell(desk, (DESK / "tickets.py").read_text())
        before = {file: (tmp_path / "project" / file).read_text() for file in ("settings.py", "urls.py")}

        install(desk, port)

        said = desk.run("python -m django contact_guard_sync")
        assert "1 teams, 2 employees, 1 customers" in said
        checked = desk.run("python -m django contact_guard_check")
        assert "0 errors" in checked
        assert "customers reach the web chat without signing in" in checked
        desk.run("python -m django makemigrations --check --dry-run")
        mail_port = free_port()
        with (
            desk.serving(f"python -m django runserver {port}", port=port) as base,
            desk.serving(f"python -m django contact_guard_receive_mail --port {mail_port}", port=mail_port),
        ):
            talk(base, sink, mail_port)
        prove(desk)

        for file, text in before.items():
            (tmp_path / "project" / file).write_text(text)
        desk.run("pip uninstall --yes crm-contact-guard")
        with desk.serving(f"python -m django runserver {port}", port=port) as base:
            aoi = signed_in(base, "aoi@kaede.example", "/dashboard/")
            assert aoi.status == 200
            assert "Lamp again" in aoi.page
            assert "guard" not in aoi.get("/guard/inbox/") or aoi.status == 404
        shell(desk, LEAVES)


#: An agent leaves; the tables that stayed behind must not hold on to the row.
LEAVES = """
from helpdesk.models import Ticket
from project.agents.models import Agent
Ticket.objects.update(assigned_to=None)
Agent.objects.get(email='aoi@kaede.example').delete()
"""


def install(desk: Project, port: int) -> None:
    desk.run("pip install crm-contact-guard")
    desk.write("project/settings.py", (DESK / "guard_settings.py").read_text().replace("8000", str(port)))
    include(desk)


def talk(base: str, sink: Sink, port: int) -> None:
    """Aoi writes to the sender of the tickets, who answers by mail and presses; Ken is warned."""
    aoi = signed_in(base, "aoi@kaede.example", "/guard/inbox/")
    aoi.submit("/guard/inbox/", q="mail.example")  # an address in a name's place is masked
    aoi.submit("Start a conversation")
    inbox = aoi.address
    aoi.submit("/send/", text="Your lamp is repaired.", subject="Your lamp")
    mail = sink.next_mail(60)
    assert mail["To"].addresses[0].addr_spec == "hanako@mail.example"
    assert "Your lamp is repaired." in str(mail.get_content())

    answer(mail, port)

    aoi.wait_for(inbox, PRESSING)
    ken = signed_in(base, "ken@kaede.example", "/guard/")
    ken.wait_for("/guard/", "h•••@mail.example")
    warned = sink.next_mail(60)
    assert warned["To"] == "ken@kaede.example"
    assert "/guard/alerts/" in str(warned.get_body())


def answer(mail: EmailMessage, port: int) -> None:
    reply = EmailMessage()
    reply["From"] = "Hanako Sato <hanako@mail.example>"
    reply["To"] = str(mail["Reply-To"])
    reply["Subject"] = f"Re: {mail['Subject']}"
    reply["Message-ID"] = "<1@mail.example>"
    reply["In-Reply-To"] = str(mail["Message-ID"])
    reply.set_content(f"ありがとうございます。{PRESSING}")
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(reply)
