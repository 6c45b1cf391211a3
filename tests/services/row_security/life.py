"""A day of two organisations in a site that connects as a role which owns nothing. Prints "well" at its end.

What the server runs without a request (sync, tick, check) gets a connection of its own: no organisation is in force.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import django
import pytest

django.setup()

from celery import Celery  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core import signing  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import DatabaseError, connection, transaction  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import reverse  # noqa: E402

from crm_contact_guard.directory.models import Customer, Employee, Team  # noqa: E402
from crm_contact_guard.privacy.erasing import erase_messages  # noqa: E402
from crm_contact_guard.record.models import Conversation, Event, Message  # noqa: E402
from crm_contact_guard.supervision.models import Alert  # noqa: E402
from tests.services.row_security.models import (  # noqa: E402
    Branch,
    Contact,
    Organisation,
    Profile,
    User,
    organisation_context,
)

Celery("crm").config_from_object("django.conf:settings", namespace="CELERY")
PRESSING = "LINE交換しませんか？ID: hanako_22"
PHONE = "+819012345678"


def to(name: str, *args: Any) -> str:
    return reverse(f"crm_contact_guard:{name}", args=args)


def command(*words: str, **options: Any) -> str:
    """What a command says that runs in a process of its own."""
    connection.close()
    said = io.StringIO()
    try:
        call_command(*words, stdout=said, stderr=said, **options)
    finally:
        connection.close()
    return said.getvalue()


def looked_at(topic: str) -> dict[str, str]:
    """What contact_guard_check says of a topic, with its level; of others (there is no mail server) it may complain."""
    connection.close()
    said = io.StringIO()
    with suppress(CommandError):
        call_command("contact_guard_check", json=True, patience=0.0, stdout=said)
    items = map(json.loads, said.getvalue().splitlines())
    return {item["says"]: item["level"] for item in items if item["topic"] == topic}


def refused(words: str, statement: str) -> None:
    with pytest.raises(DatabaseError, match=words), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def person(name: str, *parts: tuple[Organisation, str, Branch]) -> User:
    user = User.objects.create(email=f"{name}@kaede.example")
    for organisation, job, branch in parts:
        with organisation_context(str(organisation.pk)):
            Profile.objects.create(org=organisation, user=user, job=job, branch=branch)
    return user


def organisation(name: str) -> tuple[Organisation, Branch]:
    made = Organisation.objects.create(name=name)
    with organisation_context(str(made.pk)):
        return made, Branch.objects.create(org=made, title=f"{name} desk")


def headed(branch: Branch, user: User) -> None:
    with organisation_context(str(branch.org_id)):
        Branch.objects.filter(pk=branch.pk).update(head=user)


def contact(of: Organisation, name: str, owner: User, email: str, phone: str = "") -> Contact:
    with organisation_context(str(of.pk)):
        return Contact.objects.create(org=of, name=name, owner=owner, email=email, phone=phone)


def browser(user: User, of: Organisation) -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["organisation"] = signing.dumps(str(of.pk))
    return client


tokyo, desk = organisation("Tokyo")
osaka, front = organisation("Osaka")
aoi, sora = person("aoi", (tokyo, "clerk", desk)), person("sora", (tokyo, "chief", desk))
bob, vera = person("bob", (osaka, "clerk", front)), person("vera", (osaka, "compliance", front))
ren = person("ren", (tokyo, "clerk", desk), (osaka, "chief", front))  # works for both
headed(desk, sora), headed(front, ren)
nobody = person("nobody")
hanako = contact(tokyo, "Hanako Sato", aoi, "hanako@mail.example", PHONE)
taro = contact(tokyo, "Taro Abe", aoi, "both@mail.example")
robert = contact(osaka, "Robert Brown", bob, "both@mail.example", "+819087654321")

# The security is real: this role owns nothing, and a process without an organisation sees nobody.
connection.close()
assert Contact.objects.count() == Profile.objects.count() == Branch.objects.count() == 0
refused("must be owner", "DROP TRIGGER contact_guard_message_update ON crm_contact_guard_message")

# Before any sync: whoever comes first through a page is one of the organisation that the page is about.
assert browser(ren, tokyo).get(to("inbox")).status_code == 200
assert Employee.objects.get(name="Ren").tenant == str(tokyo.pk)
assert browser(ren, osaka).get(to("dashboard")).status_code == 200
assert browser(nobody, tokyo).get(to("inbox")).status_code == 403
assert "3 customers" in command("contact_guard_sync")
by_tenant = {str(tokyo.pk): {"Aoi", "Sora", "Ren"}, str(osaka.pk): {"Bob", "Vera", "Ren"}}
for tenant, names in by_tenant.items():
    assert set(Employee.objects.filter(tenant=tenant, active=True).values_list("name", flat=True)) == names
assert not Employee.objects.exclude(tenant__in=by_tenant).exists()
assert Team.objects.get(tenant=str(osaka.pk)).supervisor.name == "Ren"
assert looked_at("people") == {
    "the adapter reads customers: 3 checked": "ok",
    "the adapter reads employees: 1 compliance, 3 employee, 2 supervisor": "ok",
    "1 addresses belong to customers of several tenants": "warning",
}
assert set(looked_at("database").values()) == {"ok"}

# The panel in the host's page, a talk, the customer's page without any organisation, the warning.
of_aoi = browser(aoi, tokyo)
page = of_aoi.get(f"/contacts/{hanako.pk}/").content.decode()
assert "Hanako Sato" in page, page
assert to("conversation_start") in page, page
assert of_aoi.get(f"/contacts/{robert.pk}/").status_code == 404
assert of_aoi.post(to("conversation_start"), {"customer": str(hanako.pk)}).status_code == 302
assert of_aoi.post(to("conversation_start"), {"customer": str(robert.pk)}).status_code == 403
talk = Conversation.objects.get()
assert talk.tenant == str(tokyo.pk)
assert of_aoi.post(to("conversation_send", talk.pk), {"text": "Your room is ready."}).status_code in (200, 302)
page = of_aoi.post(to("chat_link_create", talk.pk), follow=True).content.decode()
guest = Client(enforce_csrf_checks=True)
assert guest.get(re.search(r"http://testserver(/guard/chat/[^\"\s]+)", page)[1]).status_code == 302
page = guest.get(to("chat_page")).content.decode()
form = dict(re.findall(r'name="(form_token|key)" value="([^"]*)"', page))
assert guest.post(to("chat_page"), {**form, "text": PRESSING}).status_code in (200, 302)


# Carriers know no organisation: one customer's number, a stranger's, and an address that customers of two have.
def call(number: int, sender: str) -> int:
    event = {"type": "message", "id": str(number), "from": sender, "text": PRESSING, "at": "2026-11-24T01:00:00+00:00"}
    body = json.dumps({"events": [event]}).encode()
    signed = hmac.new(b"of the carrier", body, hashlib.sha256).hexdigest()
    headers = {"x-signature": signed}
    return Client().post(to("webhook", "hook"), body, "application/json", headers=headers).status_code


answers = call(1, "+819087654321"), call(2, "+819011112222")
assert answers == (204, 204), answers
assert {row.tenant for row in Message.objects.filter(channel="hook")} == {str(osaka.pk), ""}
if settings.CONTACT_GUARD["TASKS"] == "celery":
    assert not Alert.objects.exists()
command("contact_guard_tick")
warned = {alert.tenant: alert.addressee for alert in Alert.objects.exclude(tenant="")}
assert {tenant: addressee.name for tenant, addressee in warned.items()} == {str(tokyo.pk): "Sora", str(osaka.pk): "Ren"}
assert warned[str(osaka.pk)].tenant == str(osaka.pk)

# Nothing is seen from the other organisation, also by who sees all of their own and who works for both.
of_sora, of_vera = browser(sora, tokyo), browser(vera, osaka)
ours = Alert.objects.get(tenant=str(tokyo.pk))
assert "hanako_22" in of_sora.get(to("alert", ours.pk)).content.decode()
for other in (of_vera, browser(ren, osaka), browser(bob, osaka)):
    assert other.get(to("conversation", talk.pk)).status_code == 404
    assert other.get(to("alert", ours.pk)).status_code == 404
    assert "Hanako" not in other.get("/guard/api/v1/conversations/").content.decode()
    assert "Hanako" not in other.get(to("dashboard")).content.decode()
assert "Robert" in of_vera.get("/guard/api/v1/conversations/").content.decode()
assert "Robert" not in browser(ren, tokyo).get(to("inbox")).content.decode()
assert of_sora.post(to("alert_close", ours.pk), {"resolution": "no_action", "comment": ""}).status_code == 302
stranger = Conversation.objects.get(tenant="")
assert browser(bob, osaka).get(to("conversation", stranger.pk)).status_code == 404

# A token is one employee's, whatever organisation its user works for besides, and needs none in the request.
token = command("contact_guard_token", "create", "ren@kaede.example", name="warehouse", tenant=str(osaka.pk)).split()[
    -1
]
with override_settings(MIDDLEWARE=[name for name in settings.MIDDLEWARE if "row_security" not in name]):
    listed = Client(headers={"authorization": f"Bearer {token}"}).get("/guard/api/v1/conversations/").json()["results"]
    assert [row["customer"]["name"] for row in listed] == ["Robert Brown"], listed

# Who is not seen is not gone: neither where no organisation is entered nor where one has lost its rows.
with override_settings(
    CONTACT_GUARD={**settings.CONTACT_GUARD, "CRM_ADAPTER": "crm_contact_guard.crm.DeclarativeAdapter"}
):
    command("contact_guard_sync")
assert Customer.objects.filter(active=True, key__isnull=False).count() == 3
assert Employee.objects.filter(active=True).count() == 6
with organisation_context(str(tokyo.pk)):
    Contact.objects.filter(pk=taro.pk).delete()
command("contact_guard_sync")
assert set(Customer.objects.filter(active=True, key__isnull=False).values_list("name", flat=True)) == {
    "Hanako Sato",
    "Robert Brown",
}
assert Event.objects.filter(kind="customer.gone").count() == 1

# The record under a role with few rights: sealing, proof, export, erasure; and no way to alter it.
refused("permission denied", "DELETE FROM crm_contact_guard_message")
refused("permission denied", "TRUNCATE crm_contact_guard_event")
refused("recorded rows can not be changed", "UPDATE crm_contact_guard_message SET text = 'never said'")
erase_messages(Message.objects.filter(channel="hook"), basis="request", reason="asked for")
assert not Message.objects.exclude(text__isnull=True).filter(channel="hook").exists()
command("contact_guard_seal")
with tempfile.TemporaryDirectory() as folder:
    command("contact_guard_export", out=Path(folder) / "bundle.zip")
assert "All holds." in command("contact_guard_verify")
assert "All holds." in command("contact_guard_verify", in_database=True)
assert Client().get(to("health_ready")).status_code == 200
command("check", databases=["default"])
print("well")
