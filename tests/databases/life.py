"""Uses a host with several databases, from ``migrate`` to the pages: ``python -m tests.databases.life SPEC``.

``SPEC`` is JSON: ``databases`` (Django's setting), ``router`` (a class in ``routers``), ``order`` (aliases to migrate,
in order), ``ours`` (the only alias that must contain our tables), ``people`` (the alias of the host's users), and
``folder`` to write to. Prints "well" as its last line.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import django
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor

SPEC: dict[str, Any] = json.loads(sys.argv[1]) if __name__ == "__main__" else {}
PREFIX = "crm_contact_guard_"


def start() -> None:
    from tests import settings

    settings.DATABASES = SPEC["databases"]
    settings.DATABASE_ROUTERS = [f"tests.databases.routers.{SPEC['router']}"]  # type: ignore[attr-defined]
    settings.CONTACT_GUARD["CHANNELS"]["carrier"] = {
        "BACKEND": "tests.signed_channel.SignedChannel",
        "OPTIONS": {"SECRET": "secret"},
    }
    django.setup()


def migrated() -> None:
    """Migrate the databases in the given order; the router decides what each gets. No migration is left."""
    for alias in SPEC["order"]:
        call_command("migrate", database=alias, verbosity=0)
    call_command("makemigrations", "crm_contact_guard", check=True, dry_run=True, verbosity=0)
    for alias in SPEC["order"]:
        names = connections[alias].introspection.table_names()
        ours = [name for name in names if name.startswith(PREFIX)]
        assert bool(ours) == (alias == SPEC["ours"] or SPEC["router"] == "Replica"), (alias, ours)
    call_command("check", databases=SPEC["order"], fail_level="ERROR")


def watched() -> list[str]:
    """Queries for our tables on other databases, collected from now on."""
    strays: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if PREFIX in sql:
            strays.append(f"{context['connection'].alias}: {sql}")
        return execute(sql, params, many, context)

    for alias in SPEC["order"]:
        if alias != SPEC["ours"]:
            connections[alias].execute_wrappers.append(watch)
    return strays


def lived() -> None:
    from django.contrib.admin.utils import NestedObjects
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from crm_contact_guard import gateway
    from crm_contact_guard.channels.base import InboundMessage
    from crm_contact_guard.conversations.chat_links import chat_link_create
    from crm_contact_guard.delivery.models import Delivery
    from crm_contact_guard.directory.mirror import customer_for, employee_for
    from crm_contact_guard.directory_sync import sync_all
    from crm_contact_guard.hosting import database, host_rows
    from crm_contact_guard.record.models import Event, Message
    from crm_contact_guard.supervision.models import Alert
    from crm_contact_guard.tokens.issuing import token_create
    from tests import factories, host

    def to(name: str, *args: object) -> str:
        return reverse(f"crm_contact_guard:{name}", args=args)

    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    assert [team.name for team in clerk.teams.all()] == ["Front desk"]
    assert employee_for(clerk.user) == clerk
    client = host.models.Client.objects.create(
        full_name="Hanako Sato", emails="hanako@mail.example", manager=clerk.user
    )
    assert customer_for(client).owner == clerk
    assert list(host_rows.every(clerk.user.clients)) == [client]
    talk = factories.conversation(clerk, name="Kenji Ito")

    # A customer writes by the chat and by a carrier; the carrier says it twice.
    _link, token = chat_link_create(conversation=talk, created_by=clerk)
    guest = Client(enforce_csrf_checks=True)
    assert guest.get(to("chat_enter", token)).status_code == 302
    form = dict(re.findall(r'name="(form_token|key)" value="([^"]*)"', guest.get(to("chat_page")).content.decode()))
    assert guest.post(to("chat_page"), {**form, "text": "LINE交換しませんか？ID: hanako_22"}).status_code in (200, 302)
    said = InboundMessage(
        channel="email",
        event_id="m1",
        from_address="hanako@mail.example",
        text="Two nights, please.",
        occurred_at=timezone.now(),
    )
    assert gateway.receive(said).message
    assert gateway.receive(said).duplicate

    # The supervisor closes the alert; the employee answers, once per idempotency key.
    alert = Alert.objects.get()
    aoi, sora = Client(), Client()
    aoi.force_login(clerk.user)
    sora.force_login(alert.addressee.user)
    assert "hanako_22" in aoi.get(to("conversation", talk.pk)).content.decode()
    assert sora.get(to("dashboard")).status_code == sora.get(to("alert", alert.pk)).status_code == 200
    assert sora.post(to("alert_claim", alert.pk)).status_code == 302
    assert sora.post(to("alert_close", alert.pk), {"resolution": "no_action", "comment": ""}).status_code == 302
    answer = {"text": "恐れ入りますが、当館の窓口でお願いします。", "key": "a1"}
    assert {aoi.post(to("conversation_send", talk.pk), answer).status_code for _ in range(2)} <= {200, 302}
    assert Message.objects.filter(direction="outbound").count() == 1
    sent = gateway.send(actor=clerk, conversation=talk, text="Yours, Aoi", idempotency_key="k").message
    assert gateway.send(actor=clerk, conversation=talk, text="Yours, Aoi", idempotency_key="k").message == sent
    calls = aoi.post(to("conversation_call", talk.pk), {"channel": "carrier", "key": "c1"})
    assert calls.status_code in (302, 422), calls.content

    # By the API with a token.
    text = token_create(employee=clerk, name="warehouse").text
    machine = Client(headers={"Authorization": f"Bearer {text}"})
    assert len(machine.get(to("api-messages")).json()["results"]) == Message.objects.count()
    assert machine.get(to("api-alerts")).status_code == 200

    # A rollback in the host's database does not affect ours, and a rollback in ours undoes our rows.
    if SPEC["ours"] != SPEC["people"]:
        with suppress(ZeroDivisionError), transaction.atomic(using=SPEC["people"]):
            gateway.send(actor=clerk, conversation=talk, text="Said all the same")
            raise ZeroDivisionError
        assert Message.objects.filter(text="Said all the same").count() == 1
    with suppress(ZeroDivisionError), database.atomic():
        gateway.send(actor=clerk, conversation=talk, text="Never said")
        raise ZeroDivisionError
    assert not Message.objects.filter(text="Never said").exists()
    with transaction.atomic(using=SPEC["ours"]):
        later = gateway.send(actor=clerk, conversation=talk, text="Goes out when this is over").message
        assert later is not None
        assert Delivery.objects.get(message=later).state == "queued"
    assert Delivery.objects.get(message=later).state != "queued"

    operated(clerk, client)

    # The host deletes the user, first in a transaction that is rolled back: the user is linked again when seen.
    with suppress(ZeroDivisionError), transaction.atomic(using=SPEC["people"]):
        host.models.User.objects.get(pk=clerk.user_id).delete()
        raise ZeroDivisionError
    user = host.models.User.objects.get(email="aoi@kaede.example")
    assert employee_for(user) == clerk
    NestedObjects(using=SPEC["people"]).collect([user])  # the admin's confirmation page changes nothing
    assert machine.get(to("api-messages")).status_code == 200
    user.delete()
    clerk.refresh_from_db()
    assert (clerk.name, clerk.user_id, clerk.user) == ("Aoi", None, None)
    assert machine.get(to("api-messages")).status_code == 401
    assert aoi.get(to("inbox")).status_code == 302
    host.models.User.objects.create_user("kai@kaede.example", "demo", display_name="Kai", job="compliance")
    sync_all()
    clerk.refresh_from_db()
    assert not clerk.active
    assert Client().get(to("health_ready")).status_code == 200
    # A migration of the host's deletes a user.
    past = MigrationExecutor(connections[SPEC["people"]]).loader.project_state().apps
    rei = factories.employee("rei")
    past.get_model("host", "User").objects.using(SPEC["people"]).get(display_name="Rei").delete()
    assert type(rei).objects.get(pk=rei.pk).user_id is None
    # A user deleted by raw SQL.
    lost = employee_for(host.models.User.objects.get(display_name="Kai"))
    assert lost is not None
    assert lost.user is not None
    text = token_create(employee=lost, name="lost").text
    host.models.User.objects.filter(display_name="Kai")._raw_delete(using=SPEC["people"])
    assert Client(headers={"Authorization": f"Bearer {text}"}).get(to("api-messages")).status_code == 401
    assert type(lost).objects.get(pk=lost.pk).user is None
    assert Event.objects.filter(kind="alert.closed").count() == 1


def operated(clerk: Any, client: Any) -> None:
    """Run the commands, and verify their output like an auditor."""
    from crm_contact_guard.record.models import Message
    from crm_contact_guard.verification.whole_record import verify

    call_command("contact_guard_sync", stdout=StringIO())
    call_command("contact_guard_tick", stdout=StringIO())
    output = StringIO()
    with suppress(CommandError):  # the test site has no login page and no static files
        call_command("contact_guard_check", json=True, stdout=output)
    items = [json.loads(line) for line in output.getvalue().splitlines()]
    assert {item["topic"] for item in items if item["level"] == "error"} <= {"pages"}, items
    assert any(f"up to date on {SPEC['ours']!r}" in item["says"] for item in items)
    call_command("contact_guard_subject", str(client.pk), erase=True, reason="asked for it", stdout=StringIO())
    assert Message.objects.filter(customer__key=str(client.pk), text__isnull=False).count() == 0
    for command in ("contact_guard_status", "contact_guard_seal", "contact_guard_purge", "contact_guard_verify"):
        call_command(command, stdout=StringIO())
    assert not verify().faults
    bundle = Path(SPEC["folder"], "bundle.zip")
    call_command("contact_guard_export", out=bundle, stdout=StringIO())
    proof = [sys.executable, "-m", "crm_contact_guard.proof", str(bundle)]
    done = subprocess.run(proof, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    clerk.refresh_from_db()
    assert clerk.active


def removed() -> None:
    """Remove our tables; the host's stay."""
    call_command("migrate", "crm_contact_guard", "zero", database=SPEC["ours"], verbosity=0)
    assert not [name for name in connections[SPEC["ours"]].introspection.table_names() if name.startswith(PREFIX)]


if __name__ == "__main__":
    start()
    migrated()
    strays = watched()
    lived()
    assert not strays, strays
    removed()
    print("well")
