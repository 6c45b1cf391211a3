"""A CRM of programs, on tenxyte: people and organisations are in tokens (JWT), a middleware refuses whoever names no
application, users have no base class of Django's, the default manager hides all rows, and the language is French."""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.environment import Environment
from tests.hosts.person import Person
from tests.hosts.project import Project
from tests.hosts.steps import include, propose, prove, shell, signed_in
from tests.mail_sink import Sink
from tests.ports import free_port

TOKENS = Path(__file__).parent / "tokens"
PRESSING = "LINE交換しませんか？ID: hanako_22"
#: Each thing that is missing, by the middleware that shuts it.
MISSING = (
    "tenxyte.middleware.ApplicationAuthMiddleware blocks the web chat for visitors without a login (401)",
    "tenxyte.middleware.ApplicationAuthMiddleware blocks the staff pages for visitors without a login (401)",
    "tenxyte.middleware.ApplicationAuthMiddleware blocks the API for programs with a token (401)",
)


@pytest.mark.timeout(600)
def test_into_the_crm_of_programs_and_out_again(tokens: Environment, databases: dict[str, Any], tmp_path: Path) -> None:
    port = free_port()
    shutil.copytree(TOKENS / "project", tmp_path / "project")
    with Sink() as sink:
        host = Project.of(tmp_path, tokens, databases, sink.port)
        host.run("python -m django migrate")
        shell(host, (TOKENS / "people.py").read_text())
        before = {file: (tmp_path / "project" / file).read_text() for file in ("settings.py", "urls.py")}

        host.run("pip install crm-contact-guard")
        host.write("project/settings.py", 'INSTALLED_APPS += ["crm_contact_guard"]\n')
        host.write("project/settings.py", propose(host, port))
        include(host)
        assert "2 teams, 4 employees, 2 customers" in host.run("python -m django contact_guard_sync")
        said = host.run("python -m django contact_guard_check", code=1)
        assert [words for words in MISSING if words not in said] == [], said

        host.write("project/settings.py", (TOKENS / "guard_settings.py").read_text())
        checked = host.run("python -m django contact_guard_check")
        assert "0 errors" in checked
        assert "a supervisor (2) opens the inbox, once the host's sign-in has set request.user" in checked
        host.run("python -m django makemigrations --check --dry-run crm_contact_guard")
        token = shell(host, TOKEN).strip().splitlines()[-1]
        with host.serving(f"python -m django runserver {port}", port=port) as base:
            talk(base, sink, token)
        prove(host)

        for file, text in before.items():
            (tmp_path / "project" / file).write_text(text)
        host.run("pip uninstall --yes crm-contact-guard")
        shell(
            host, "from tenxyte.models.auth import User; User.objects.get(email='aoi@kyoto.example').delete(hard=True)"
        )


#: A seller leaves; the tables that stayed behind must not hold on to the row.
LEAVES = """
from tenxyte.models.auth import User
User.objects.get(email='aoi@kyoto.example').delete(hard=True)
"""
#: As the host's own sign-in makes one.
TOKEN = """
from tenxyte.adapters.django import get_django_settings
from tenxyte.core.jwt_service import JWTService
from tenxyte.models.auth import User
user = User.objects.get(email='ken@kyoto.example')
print(JWTService(settings=get_django_settings()).generate_access_token(str(user.pk), '1')[0])
"""


def talk(base: str, sink: Sink, token: str) -> None:
    """Aoi writes to Hanako, who presses; Ken is warned and reads the alert by his token; Rei of Osaka sees nothing."""
    aoi = signed_in(base, "aoi@kyoto.example", "/guard/inbox/")
    assert '<html lang="en">' in aoi.page
    aoi.submit("/guard/inbox/", q="sato")
    aoi.submit("Start a conversation")
    inbox = aoi.address
    aoi.submit("/send/", text="Your order has arrived.")
    aoi.get(inbox)
    aoi.submit("New link")
    link = re.search(rf"{base}/guard/chat/[^\"\s]+", aoi.page)
    assert link, aoi.text

    hanako = Person(base, "fr")
    hanako.get(link[0])
    assert "This conversation is kept by Kaede" in hanako.text
    hanako.submit("form_token", text=PRESSING)

    aoi.wait_for(inbox, PRESSING)
    assert sink.next_mail(60)["To"] == "ken@kyoto.example"
    alerts = asked(base, "/guard/api/v1/alerts/", token)["results"]
    # At night, Aoi's own message raises one as well.
    [alert] = [row for row in alerts if row["topic"] == "off_channel"]
    assert alert["addressee"]["name"].startswith("Ken")
    rei = signed_in(base, "rei@osaka.example", "/guard/")
    assert "Hanako" not in rei.page
    assert rei.status == 200


def asked(base: str, path: str, token: str) -> Any:
    request = urllib.request.Request(f"{base}{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
