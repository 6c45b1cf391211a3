"""A customer's message in a host that is set up strangely; prints "well" at its end. Imported by a process of its own,
after it has altered ``tests.settings``."""

from __future__ import annotations

import gzip
import os
import re
import sqlite3
from contextlib import closing
from typing import Any

import django

django.setup()

from django.core import mail  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client as Browser  # noqa: E402
from django.urls import reverse  # noqa: E402

from crm_contact_guard.conversations.chat_links import chat_link_create  # noqa: E402
from crm_contact_guard.record.models import Message  # noqa: E402
from crm_contact_guard.sealing.sealer import seal  # noqa: E402
from crm_contact_guard.supervision.models import Alert  # noqa: E402
from crm_contact_guard.verification.whole_record import verify  # noqa: E402
from tests import factories  # noqa: E402


class Client(Browser):
    """Somebody behind a proxy that ends TLS, as most are; readers' programs take what is compressed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(headers={"x-forwarded-proto": "https", "accept-encoding": "gzip"}, **options)

    def generic(self, *args: Any, **options: Any) -> Any:
        answer: Any = super().generic(*args, **options)
        if answer.get("Content-Encoding") == "gzip":
            answer.content = gzip.decompress(answer.content)
        return answer


PRESSING = "LINE交換しませんか？ID: hanako_22"

if kept := os.environ["CONTACT_GUARD_MIGRATED"]:
    connection.ensure_connection()
    with closing(sqlite3.connect(kept)) as file:
        file.backup(connection.connection)
call_command("migrate", verbosity=0)
call_command("makemigrations", "crm_contact_guard", check=True, dry_run=True, verbosity=0)
clerk = factories.employee("aoi", branch=factories.team(head="sora"))
talk = factories.conversation(clerk)
_link, token = chat_link_create(conversation=talk, created_by=clerk)


def here(address: str) -> str:
    """What a server gets to see of an address."""
    return address.removeprefix("http://testserver").removeprefix("/crm")


def to(name: str, *args: Any) -> str:
    return here(reverse(f"crm_contact_guard:{name}", args=args))


def linked(text: str) -> str:
    """The first address of the site in a text."""
    found = re.search(r"http://testserver[^\"\s]+", text)
    assert found, text
    return here(found[0])


guest = Client(enforce_csrf_checks=True)
assert guest.get(to("chat_enter", token)).status_code == 302
page = guest.get(to("chat_page")).content.decode()
form = dict(re.findall(r'name="(form_token|key)" value="([^"]*)"', page))
assert guest.post(to("chat_page"), {**form, "text": PRESSING}).status_code in (200, 302)
assert Message.objects.get().text == PRESSING
alert = Alert.objects.get()
aoi, sora = Client(), Client()
aoi.force_login(clerk.user)
sora.force_login(alert.addressee.user)
assert "hanako_22" in aoi.get(to("conversation", talk.pk)).content.decode()
warned = linked(mail.outbox[0].body)
assert str(alert.pk) in warned
for address in (to("dashboard"), to("alert", alert.pk), warned):
    for _again in range(2):
        assert "Sora" in sora.get(address).content.decode(), address
    assert Client().get(address).status_code == 302, address  # nobody else's from a cache
    assert aoi.get(address).status_code != 200, address
assert sora.post(to("alert_close", alert.pk), {"resolution": "no_action", "comment": ""}).status_code == 302
sent = aoi.post(to("conversation_send", talk.pk), {"text": "恐れ入りますが、当館の窓口でお願いします。"})
assert sent.status_code in (200, 302), sent.content
chat = linked(aoi.post(to("chat_link_create", talk.pk), follow=True).content.decode())
assert Client().get(chat).status_code == 302, chat
listed = aoi.get(to("api-messages") + "?page_size=1")
assert listed.status_code == 200, listed.content
assert len(listed.json()["results"]) == 1
assert len(aoi.get(here(listed.json()["next"])).json()["results"]) == 1, listed.content
assert Client().get(to("health_ready")).status_code == 200
seal()
assert not verify().faults
print("well")
