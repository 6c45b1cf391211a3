"""What a lost task message leaves behind is taken up by the sweeper."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from crm_contact_guard import gateway, tasks
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.record.models import Pending
from crm_contact_guard.supervision.models import Alert, Inspection
from tests import factories

# Nothing is handed over within the test's transaction, as with a broker that is down.
pytestmark = pytest.mark.django_db


def test_the_sweeper_delivers_inspects_and_warns(django_capture_on_commit_callbacks: object) -> None:
    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    talk = factories.conversation(clerk)
    sent = gateway.send(actor=clerk, conversation=talk, text="Good evening", occurred_at=factories.office_time())
    at = factories.office_time() + timedelta(minutes=1)
    factories.received("LINE交換しませんか？ID: hanako_22", talk, occurred_at=at)
    assert Delivery.objects.get(message=sent.message).state == "queued"
    assert not Inspection.objects.exists()

    keys = (
        "released",
        "delivered",
        "fetched",
        "inspected",
        "asked",
        "notified",
        "woken",
        "told",
        "rehearsed",
    )
    nothing = dict.fromkeys(keys, 0)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert tasks.sweep() == {**nothing, "delivered": 1, "inspected": 2}

    assert Delivery.objects.get(message=sent.message).state == "sent"
    assert Inspection.objects.count() == 2
    assert Alert.objects.count() == 1
    assert [warning.to for warning in mail.outbox] == [["sora@kaede.example"]]
    assert tasks.sweep() == nothing


def test_a_warning_whose_mail_failed_is_swept_up(django_capture_on_commit_callbacks: object) -> None:
    test_the_sweeper_delivers_inspects_and_warns(django_capture_on_commit_callbacks)
    mail.outbox.clear()
    Notice.objects.filter(way="email").update(state="queued", due_at=timezone.now())

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert tasks.sweep()["notified"] == 1

    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_a_host_without_celery_ticks_by_cron(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "TASKS": "celery"}  # no broker there: nothing is handed over
    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    talk = factories.conversation(clerk)
    sent = gateway.send(actor=clerk, conversation=talk, text="Good evening", occurred_at=factories.office_time())
    assert Delivery.objects.get(message=sent.message).state == "queued"
    said = io.StringIO()

    call_command("contact_guard_tick", stdout=said)

    assert said.getvalue().startswith("0 mails fetched, 1 delivered, 1 inspected, 0 alerts notified, ")
    assert Delivery.objects.get(message=sent.message).state == "sent"
    assert not Pending.objects.exists()
