"""Reconciliation of the record with a carrier's log."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command

from crm_contact_guard.delivery import attempts
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Event, Message
from tests import factories
from tests.channels.carrier_server import Answer
from tests.channels.pager_server import PagerServer

pytestmark = pytest.mark.django_db
DAY = "2026-11-24"


@pytest.fixture
def pager(settings: Any) -> Iterator[PagerServer]:
    with PagerServer().running() as server:
        given = {"BACKEND": "tests.signed_channel.SignedChannel", "OPTIONS": {"SECRET": "s", "URL": server.url}}
        factories.add_channels(settings, {"pager": given})
        yield server


def run(*arguments: str) -> tuple[int, str]:
    out, code = io.StringIO(), 0
    try:
        call_command("contact_guard_reconcile", f"--day={DAY}", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue()


def came(number: int) -> dict[str, str]:
    return {"id": f"in-{number}", "type": "message", "from": "+819012345678", "text": f"{number}", "at": f"{DAY}T0{number}:00:00+00:00"}  # noqa: E501  # fmt: skip


def went(carrier_id: str) -> dict[str, str]:
    return {"id": carrier_id, "type": "sent", "at": f"{DAY}T09:00:00+00:00"}


def sent(text: str = "Your car is here") -> str:
    clerk = Employee.objects.filter(name="Aoi").first() or factories.employee("aoi")
    talk = factories.conversation(clerk, channel="chat")
    talk.customer.addresses.create(kind="phone", value="+819012345678", normalised="+819012345678")
    message = factories.sent(talk, text, "pager")
    attempts.deliver(message.pk)
    return f"pager-{message.pk}"


def test_missed_messages_are_fetched_once(pager: PagerServer) -> None:
    pager.log = [went(sent()), came(1), came(2)]

    code, said = run("--channel=pager")
    assert (code, said) == (0, f"pager {DAY}: 3 carried, 2 fetched, 0 missing\n")
    assert sorted(Message.objects.filter(direction="inbound").values_list("text", flat=True)) == ["1", "2"]

    assert run("--channel=pager") == (0, f"pager {DAY}: 3 carried, 0 fetched, 0 missing\n")
    assert Message.objects.filter(direction="inbound").count() == 2


def test_a_message_sent_outside_the_app_is_reported_once(pager: PagerServer) -> None:
    boss = factories.employee("kai", job="compliance")
    Employee.objects.filter(pk=boss.pk).update(email="kai@kaede.example", language="en")
    pager.log = [went(sent()), went("pager-by-somebody-else")]

    code, said = run("--channel=pager")
    run("--channel=pager")

    assert code == 1
    assert "2 carried, 0 fetched, 1 missing" in said
    assert "to the customer pager-by-somebody-else" in said
    event = Event.objects.get(kind="carrier.gap")
    assert "pager-by-somebody-else" in (event.details or "")
    assert "pager-by-somebody-else" not in event.subject_id + event.data
    (warning,) = mail.outbox
    assert warning.to == ["kai@kaede.example"]
    assert "Pager lists 1 messages on 2026-11-24" in warning.body


def test_a_dry_run_records_nothing(pager: PagerServer) -> None:
    pager.log = [came(1)]

    code, said = run("--channel=pager", "--dry-run")

    assert code == 1
    assert "from the customer in-1" in said
    assert not Message.objects.exists()
    assert not Event.objects.exists()


def test_each_day_is_compared_and_shown_separately(pager: PagerServer) -> None:
    pager.log = [{**came(1), "at": "2026-11-23T01:00:00+00:00"}, came(2)]

    _code, said = run("--channel=pager", "--days=2")

    assert said.splitlines() == [
        "pager 2026-11-23: 1 carried, 1 fetched, 0 missing",
        f"pager {DAY}: 1 carried, 1 fetched, 0 missing",
    ]


def test_carriers_without_a_log_or_a_response_are_reported(pager: PagerServer) -> None:
    pager.failures.append(Answer.of({}, 503))

    code, said = run()

    assert code == 2
    assert f"chat {DAY}: the carrier has no log" in said
    assert "pager answered 503" in said
    with pytest.raises(Exception, match="no channel 'nosuch'"):
        run("--channel=nosuch")
