"""A day of two companies in schemas of their own. Prints "well" at its end."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import re
import uuid
from contextlib import nullcontext
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client as Browser  # noqa: E402
from django.urls import reverse  # noqa: E402
from django_tenants.utils import schema_context  # noqa: E402

from crm_contact_guard.directory.models import Customer, Employee  # noqa: E402
from crm_contact_guard.record import trigger_state  # noqa: E402
from crm_contact_guard.record.models import Conversation, Message  # noqa: E402
from crm_contact_guard.supervision.models import Alert  # noqa: E402
from tests.host.models import Branch, Client, User  # noqa: E402
from tests.services.schemas.models import Company, Domain  # noqa: E402

SHARED = os.environ["SCHEMAS_PLACE"] == "shared"
PRESSING = "LINE交換しませんか？ID: hanako_22"
#: Keys of people and customers are the same in both companies.
CLERK, CHIEF, GUEST = (uuid.UUID(int=number) for number in (1, 2, 3))

call_command("migrate_schemas", schema_name="public", verbosity=0)


def where(company: str) -> Any:
    """Where the company's part of the record is."""
    return nullcontext() if SHARED else schema_context(company)


def command(*words: str, **options: Any) -> str:
    """What a command says that runs without a request: once, or once a company."""
    said = io.StringIO()
    for company in ("public",) if SHARED else ("tokyo", "osaka"):
        with schema_context(company):
            call_command(*words, stdout=said, stderr=said, **options)
    return said.getvalue()


def to(name: str, *args: Any) -> str:
    return reverse(f"crm_contact_guard:{name}", args=args)


def browser(company: str, key: uuid.UUID | None = None) -> Browser:
    client = Browser(headers={"host": f"{company}.kaede.example"})
    with schema_context(company):
        if key is not None:
            client.force_login(User.objects.get(pk=key))
    return client


def found(company: str) -> None:
    made = Company.objects.create(schema_name=company, name=company.title())
    Domain.objects.create(domain=f"{company}.kaede.example", tenant=made, is_primary=True)
    with schema_context(company):
        desk = Branch.objects.create(title=f"{company} desk")
        clerk = User.objects.create(
            id=CLERK, email=f"clerk@{company}.example", display_name=f"{company} clerk", branch=desk
        )
        desk.head = User.objects.create(
            id=CHIEF, email=f"chief@{company}.example", display_name=f"{company} chief", job="chief", branch=desk
        )
        desk.save()
        phone = {"tokyo": "+819011111111", "osaka": "+819022222222"}[company]
        Client.objects.create(id=GUEST, full_name=f"Guest of {company}", mobile=phone, manager=clerk)


found("tokyo")
found("osaka")
for _again in range(2):
    assert command("contact_guard_sync").count("customers") == (1 if SHARED else 2)
for company in ("tokyo", "osaka"):
    with where(company):
        mine = Employee.objects.filter(tenant=company if SHARED else "")
        assert set(mine.values_list("name", flat=True)) == {f"{company} clerk", f"{company} chief"}
        assert Customer.objects.get(tenant=company if SHARED else "").name == f"Guest of {company}"
        assert not trigger_state.altered(connection), trigger_state.altered(connection)

talks: dict[str, Any] = {}
for company in ("tokyo", "osaka"):
    clerk = browser(company, CLERK)
    assert clerk.post(to("conversation_start"), {"customer": str(GUEST)}).status_code == 302
    with where(company):
        talks[company] = Conversation.objects.get(customer__name=f"Guest of {company}")
        assert talks[company].employee.name == f"{company} clerk"
    sent = clerk.post(to("conversation_send", talks[company].pk), {"text": f"Welcome to {company}."})
    assert sent.status_code in (200, 302), sent.content
    page = clerk.post(to("chat_link_create", talks[company].pk), follow=True).content.decode()
    link = re.search(r"http://[^/]+(/guard/chat/[^\"\s]+)", page)
    guest = browser(company)
    assert guest.get(link[1]).status_code == 302
    page = guest.get(to("chat_page")).content.decode()
    assert f"Welcome to {company}." in page
    form = dict(re.findall(r'name="(form_token|key)" value="([^"]*)"', page))
    assert guest.post(to("chat_page"), {**form, "text": PRESSING}).status_code in (200, 302)
    # A carrier calls the company's address; where the record is one, any address will do.
    event = {"type": "message", "id": company, "from": {"tokyo": "+819011111111", "osaka": "+819022222222"}[company]}
    body = json.dumps({"events": [{**event, "text": "Hello", "at": "2026-11-24T01:00:00+00:00"}]}).encode()
    signed = hmac.new(b"of the carrier", body, hashlib.sha256).hexdigest()
    door = browser("tokyo" if SHARED else company)
    answer = door.post(to("webhook", "hook"), body, "application/json", headers={"x-signature": signed})
    assert answer.status_code == 204, answer.content
    with where(company):
        assert Message.objects.get(channel="hook", text="Hello", carrier_id=company).conversation.customer.name == (
            f"Guest of {company}"
        )

command("contact_guard_tick")
for company, other in (("tokyo", "osaka"), ("osaka", "tokyo")):
    with where(company):
        alert = Alert.objects.get(addressee__name=f"{company} chief")
    chief, stranger = browser(company, CHIEF), browser(other, CHIEF)
    assert "hanako_22" in chief.get(to("alert", alert.pk)).content.decode()
    assert f"Guest of {company}" in chief.get(to("dashboard")).content.decode()
    assert stranger.get(to("alert", alert.pk)).status_code == 404
    assert stranger.get(to("conversation", talks[company].pk)).status_code == 404
    listed = json.dumps(browser(other, CLERK).get("/guard/api/v1/conversations/").json())
    assert f"Guest of {other}" in listed
    assert f"Guest of {company}" not in listed

# A company goes, and the others' record is as well guarded as before.
assert command("contact_guard_verify").count("All holds.") == (1 if SHARED else 2)
if SHARED:
    connection.set_schema_to_public()
    Company.objects.get(schema_name="osaka").delete(force_drop=True)
    assert not trigger_state.altered(connection), trigger_state.altered(connection)
    assert Message.objects.filter(tenant="osaka").exists()
    command("contact_guard_sync")
    assert "All holds." in command("contact_guard_verify")
print("well")
