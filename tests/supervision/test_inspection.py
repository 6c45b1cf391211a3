"""Inspection: a recorded message raises one alert for the right person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.test import override_settings

from crm_contact_guard import gateway
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy.decision import Action, Override, OverrideCode
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.models import Alert, Finding
from tests import factories

pytestmark = pytest.mark.django_db

ASK = "LINE交換しませんか？ID: hanako_22"


@pytest.fixture
def clerk() -> Employee:
    return factories.employee("aoi", branch=factories.team(head="sora", deputy="yui"))


@pytest.fixture
def conversation(clerk: Employee) -> Conversation:
    return factories.conversation(clerk)


def says(conversation: Conversation, text: str, minutes: float = 0, **more: object) -> Message:
    """A customer's message on the conversation's chat, inspected."""
    at = factories.office_time() + timedelta(minutes=minutes)
    message = factories.received(text, conversation, occurred_at=at, **more)
    inspection.inspect(message)
    return message


def writes(
    clerk: Employee, conversation: Conversation, text: str, minutes: float = 0, *, emergency: bool = False
) -> Message:
    """An employee's message, confirmed after a nudge, and inspected."""
    sent = gateway.send(
        actor=clerk,
        conversation=conversation,
        text=text,
        override=Override(code=OverrideCode.OTHER, text="test"),
        emergency=emergency,
        occurred_at=factories.office_time() + timedelta(minutes=minutes),
    )
    assert sent.message is not None
    inspection.inspect(sent.message)
    return sent.message


def test_a_customers_request_alerts_the_supervisor_once(conversation: Conversation) -> None:
    message = says(conversation, ASK)

    alert = Alert.objects.get()
    assert (alert.by, alert.topic, alert.at_message) == ("customer", "off_channel", message)
    assert alert.addressee is not None
    assert alert.addressee.name == "Sora"
    evidence = {message.text[finding.start : finding.end] for finding in alert.findings.all()}  # type: ignore[index]
    assert any("hanako_22" in text for text in evidence)

    inspection.inspect(message)
    says(conversation, "LINEで話したいです。ぜひ交換してください", minutes=5)
    assert Alert.objects.count() == 1


def test_a_new_alert_is_opened_after_the_window(conversation: Conversation) -> None:
    says(conversation, ASK)
    says(conversation, "やっぱりLINE交換したいです。IDは hanako_23 です", minutes=60 * 25)
    assert Alert.objects.count() == 2


def test_the_deputy_is_notified_if_the_supervisor_is_concerned(clerk: Employee) -> None:
    supervisor = Employee.objects.get(name="Sora")
    conversation = factories.conversation(supervisor)

    writes(supervisor, conversation, "私の個人のLINEは sora_private です。追加してくださいね")

    alert = Alert.objects.get()
    assert alert.concerned == supervisor
    assert alert.addressee is not None
    assert alert.addressee.name == "Yui"


def test_a_refusal_raises_no_alert(clerk: Employee, conversation: Conversation) -> None:
    writes(clerk, conversation, "申し訳ございませんが、個人のLINEの交換は規則でお断りしております。")

    assert not Alert.objects.exists()


def test_a_nudged_message_is_not_sent_and_its_text_is_not_stored(clerk: Employee, conversation: Conversation) -> None:
    sent = gateway.send(actor=clerk, conversation=conversation, text="個人のLINEは aoi_private です。こちらにどうぞ")

    assert sent.message is None
    assert sent.decision.action is Action.NUDGE
    event = Event.objects.get(kind="decision.nudge")
    assert "aoi_private" not in f"{event.data}{event.reason}{event.details}"
    assert not Alert.objects.exists()


def test_the_employees_own_message_at_night_is_after_hours_and_an_emergency_is_not(
    clerk: Employee, conversation: Conversation
) -> None:
    says(conversation, "Is the gym open?", minutes=60 * 12)
    assert not Alert.objects.exists()

    writes(clerk, conversation, "The ambulance is on its way.", minutes=60 * 12 + 1, emergency=True)
    assert not Alert.objects.exists()

    writes(clerk, conversation, "The gym opens at six.", minutes=60 * 12 + 2)
    alert = Alert.objects.get()
    assert (alert.topic, alert.by) == ("after_hours", "employee")


def test_evidence_spread_over_messages_is_one_alert(conversation: Conversation) -> None:
    for minutes, text in enumerate(
        ["Text me after work, just you and me. My own number starts with 090", "then 2844", "and 7166 :)"]
    ):
        says(conversation, text, minutes=minutes)

    alert = Alert.objects.get()
    assert alert.by == "customer"
    assert Finding.objects.filter(alert=alert).exists()


def test_the_mail_has_people_and_a_link_but_not_the_content(
    conversation: Conversation, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        factories.received(ASK, conversation)

    [warning] = mail.outbox
    assert warning.to == ["sora@kaede.example"]
    assert "hanako_22" not in f"{warning.subject}{warning.body}"
    assert "Hanako Sato" in f"{warning.subject}{warning.body}"
    assert f"/guard/alerts/{Alert.objects.get().pk}/" in warning.body


def test_the_findings_of_text_and_thread_are_stored_once(conversation: Conversation) -> None:
    says(conversation, "Good morning!")
    says(conversation, ASK, minutes=1)

    steps = Event.objects.filter(subject_type="alert").values_list("kind", flat=True)
    assert list(steps) == ["alert.opened"]


def test_a_contact_given_by_an_employee_has_high_severity_unlike_a_customers(
    clerk: Employee, conversation: Conversation
) -> None:
    says(conversation, ASK)
    writes(clerk, conversation, "個人のLINEはこちらです: aoi_private 追加してくださいね", minutes=2)

    severities = dict(Alert.objects.values_list("by", "severity"))
    assert severities == {"customer": 2, "employee": 3}


@pytest.mark.parametrize(
    ("wrote", "quiet", "expected"),
    [
        ([5], "", ("policy.hours.quick_answer", 1)),
        ([60 * 6], "", ("policy.hours.answer", 1)),
        ([], "", ("policy.hours", 1)),
        ([], "21:00-08:00", ("policy.hours.quiet", 2)),
        ([60 * 6], "21:00-08:00", ("policy.hours.answer", 1)),
    ],
)
def test_an_after_hours_alert_knows_who_wrote_first(
    clerk: Employee, conversation: Conversation, wrote: list[int], quiet: str, expected: tuple[str, int]
) -> None:
    night = 60 * 12
    for minutes in wrote:
        says(conversation, "Is the gym open?", minutes=night - minutes)

    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "QUIET_HOURS": {"daily": quiet}}):
        message = writes(clerk, conversation, "The gym opens at six.", minutes=night)
        # A message that arrives late doesn't make a second finding of the same one.
        says(conversation, "Hello?", minutes=night - 1)
        inspection.inspect(message)

    finding = Finding.objects.get()
    assert (finding.detector, Alert.objects.get().severity) == expected
