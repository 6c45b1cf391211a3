"""An alert is notified until somebody got a mail: also one that was opened for nobody, and one whose mails failed."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard import tasks
from crm_contact_guard.conversations.lifecycle import note_message
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import inline
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.notices.outbox import AGAIN
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.record.recording import record_message
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.host.models import Branch, User

pytestmark = pytest.mark.django_db
PRESSING = "LINE交換しませんか？ID: hanako_22"


def pressed(conversation: Conversation, *, notify: bool = True) -> Alert:
    message = record_message(
        conversation=conversation,
        direction="inbound",
        channel="chat",
        occurred_at=factories.office_time(),
        text=PRESSING,
    )
    note_message(conversation, message)
    [alert] = inspection.inspect(message, notify=notify)
    return alert


def swept(capture: Any) -> list[list[str]]:
    """Whom a run of the sweep mails."""
    mail.outbox.clear()
    with inline(), capture(execute=True):
        tasks.sweep()
    return [message.to for message in mail.outbox]


def test_a_supervisor_who_comes_later_is_mailed_once(django_capture_on_commit_callbacks: Any) -> None:
    """The mirror knew neither a team nor its head when the customer wrote."""
    clerk = factories.employee("aoi")
    alert = pressed(factories.conversation(clerk))
    assert alert.addressee is None
    assert swept(django_capture_on_commit_callbacks) == []

    factories.user("sora", job="chief")
    branch = Branch.objects.create(title="Front desk", head=User.objects.get(email="sora@kaede.example"))
    User.objects.filter(email="aoi@kaede.example").update(branch=branch)
    call_command("contact_guard_sync", verbosity=0)

    assert swept(django_capture_on_commit_callbacks) == [["sora@kaede.example"]]
    assert swept(django_capture_on_commit_callbacks) == []
    alert.refresh_from_db()
    assert alert.addressee == Employee.objects.get(email="sora@kaede.example")
    told = Event.objects.filter(subject_id=str(alert.pk)).order_by("pk").values_list("kind", flat=True)
    assert list(told) == ["alert.opened", "alert.addressed"]
    seal()
    assert not verify().faults


@pytest.mark.parametrize("way", ["nobody asked for it", "closed", "no mails at all"])
def test_what_is_not_owed_stays_unsent(way: str, django_capture_on_commit_callbacks: Any) -> None:
    alert = pressed(factories.conversation(factories.employee("aoi")), notify=way != "nobody asked for it")
    if way == "closed":
        Alert.objects.filter(pk=alert.pk).update(status=Alert.Status.CLOSED)
    factories.employee("kai", job="compliance")
    notices = {"NOTIFY": {"email": False}} if way == "no mails at all" else {}

    with override_settings(CONTACT_GUARD={**django_settings.CONTACT_GUARD, **notices}):
        assert swept(django_capture_on_commit_callbacks) == []


def test_a_supervisor_who_gets_an_address_later_is_mailed(django_capture_on_commit_callbacks: Any) -> None:
    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    Employee.objects.filter(email="sora@kaede.example").update(email="")
    pressed(factories.conversation(clerk))
    for _again in range(2):
        assert swept(django_capture_on_commit_callbacks) == []
    assert Notice.objects.get(way="email").state == Notice.State.FAILED

    call_command("contact_guard_sync", verbosity=0)

    assert swept(django_capture_on_commit_callbacks) == [["sora@kaede.example"]]


def test_a_notice_whose_attempts_are_used_up_is_tried_again_later(django_capture_on_commit_callbacks: Any) -> None:
    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    pressed(factories.conversation(clerk))
    Notice.objects.filter(way="email").update(state=Notice.State.FAILED, due_at=None, attempts=5)
    before = timezone.now()

    assert swept(django_capture_on_commit_callbacks) == []

    notice = Notice.objects.get(way="email")
    assert notice.state == Notice.State.QUEUED
    assert notice.due_at is not None
    assert notice.due_at >= before + AGAIN
    Notice.objects.filter(way="email").update(due_at=before)
    assert swept(django_capture_on_commit_callbacks) == [["sora@kaede.example"]]


def test_an_alert_is_addressed_in_its_own_tenant_alone(django_capture_on_commit_callbacks: Any) -> None:
    alert = pressed(factories.conversation(factories.employee("aoi")))
    other = factories.employee("kai", job="compliance")
    Employee.objects.filter(pk=other.pk).update(tenant="elsewhere")

    assert swept(django_capture_on_commit_callbacks) == []
    alert.refresh_from_db()
    assert alert.addressee is None
