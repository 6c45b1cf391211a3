"""A shop on django-oscar: customers and staff are users alike, and there are neither teams nor groups. What
``contact_guard_init`` proposes is taken as it is."""

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

SHOP = Path(__file__).parent / "shop"
PRESSING = "LINE交換しませんか？ID: hanako_22"


@pytest.mark.timeout(600)
def test_into_the_shop_and_out_again(shop: Environment, databases: dict[str, Any], tmp_path: Path) -> None:
    port = free_port()
    shutil.copytree(SHOP / "project", tmp_path / "project")
    with Sink() as sink:
        host = Project.of(tmp_path, shop, databases, sink.port)
        host.run("python -m django migrate")
        shell(host, (SHOP / "people.py").read_text())
        before = {file: (tmp_path / "project" / file).read_text() for file in ("settings.py", "urls.py")}

        host.run("pip install crm-contact-guard")
        host.write("project/settings.py", 'INSTALLED_APPS += ["crm_contact_guard"]\n')
        host.write("project/settings.py", propose(host, port))
        include(host)
        assert "1 teams, 2 employees, 2 customers" in host.run("python -m django contact_guard_sync")
        assert "0 errors" in host.run("python -m django contact_guard_check")
        host.run("python -m django makemigrations --check --dry-run")
        assert shell(host, ADDRESSES).strip() == "hanako@mail.example +81312345678"
        with host.serving(f"python -m django runserver {port}", port=port) as base:
            talk(base, sink)
        prove(host)

        for file, text in before.items():
            (tmp_path / "project" / file).write_text(text)
        host.run("pip uninstall --yes crm-contact-guard")
        with host.serving(f"python -m django runserver {port}", port=port) as base:
            ken = let_in(base, "ken@kaede.example", "/accounts/")
            assert "hanako@mail.example" in ken.get("/dashboard/users/")
            ken.get("/guard/inbox/")
            assert ken.status == 404
        shell(host, "from project.buyers.models import Buyer; Buyer.objects.all().delete()")


#: What is known of Hanako: her own address, and a number from her address book, two steps away.
ADDRESSES = """
from crm_contact_guard.directory.models import Customer
hanako = Customer.objects.get(name='Hanako Sato')
print(*(address.normalised for address in hanako.addresses.all()))
"""


def let_in(base: str, name: str, path: str) -> Person:
    fields = {"login-username": name, "login-password": "correct horse", "login_submit": ""}
    return signed_in(base, name, path, **fields)


def talk(base: str, sink: Sink) -> None:
    """Aoi of the shop writes to Hanako, who presses; Ken is warned. Hanako's own login opens nothing of this."""
    aoi = let_in(base, "aoi@kaede.example", "/guard/inbox/")
    aoi.submit("/guard/inbox/", q="hanako sato")
    assert "Jiro" not in aoi.text
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
    hanako.submit("form_token", text=PRESSING)

    aoi.wait_for(inbox, PRESSING)
    ken = let_in(base, "ken@kaede.example", "/guard/")
    ken.wait_for("/guard/", "Hanako Sato")
    warned = sink.next_mail(60)
    assert warned["To"] == "ken@kaede.example"
    assert "/guard/alerts/" in str(warned.get_body())

    buyer = let_in(base, "jiro@mail.example", "/guard/inbox/")
    assert buyer.status == 403
    assert "Hanako" not in buyer.page
