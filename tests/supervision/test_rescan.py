"""``contact_guard_rescan``: findings of the current rules in past messages, as a dry run and for real."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from crm_contact_guard import gateway
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.policy.decision import Override, OverrideCode
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision.models import Alert, Finding, Inspection
from tests import factories

pytestmark = pytest.mark.django_db

TEXT = "よろしければ私のLINEを追加してください。IDは misaki_a0815 です。"


@pytest.fixture
def past() -> Message:
    """A past message without findings, as before an upgrade with better rules."""
    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    sent = gateway.send(
        actor=clerk,
        conversation=factories.conversation(clerk),
        text=TEXT,
        override=Override(code=OverrideCode.EMERGENCY, text="for the test"),
        occurred_at=factories.office_time(),
    )
    assert sent.message is not None
    return sent.message


def rescan(*arguments: str) -> str:
    out = io.StringIO()
    call_command("contact_guard_rescan", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_dry_run_reports_but_changes_nothing(past: Message) -> None:
    words = rescan("--dry-run")

    assert f"message {past.pk} of 2026-11-24" in words
    assert "1 messages read; would be found: " in words
    assert "contact_identifier" in words
    assert TEXT not in words
    assert not Finding.objects.exists()
    assert not Inspection.objects.exists()
    assert not Event.objects.filter(kind="detection.rescanned").exists()


def test_new_findings_open_an_alert_without_mail_and_only_once(past: Message) -> None:
    assert "1 alerts affected, 1 of them open" in rescan()
    assert Alert.objects.get().at_message == past
    assert mail.outbox == []
    assert Event.objects.get(kind="detection.rescanned").subject_type == "detection"

    assert "nothing new" in rescan("--notify")
    assert Alert.objects.count() == 1
    assert not Notice.objects.exists()


def test_noticed_findings_are_reported_separately(past: Message, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "THRESHOLDS": {"alert": 0.99, "noticed": 0.02}}
    maybe = factories.recorded(
        past.conversation, "LINEやってますか？", occurred_at=past.occurred_at - timedelta(days=10)
    )

    words = rescan("--until", str(maybe.occurred_at.date() + timedelta(days=1)))

    assert "of them only noticed)" in words
    assert "0 alerts affected" in words
    assert not Alert.objects.exists()


def test_supervisors_are_notified_only_on_request(past: Message) -> None:
    rescan("--notify")

    assert {notice.employee.name for notice in Notice.objects.all()} == {"Sora"}


def test_only_the_requested_period_is_read(past: Message) -> None:
    day = past.occurred_at.date()

    assert "0 messages read" in rescan("--since", str(day + timedelta(days=1)))
    assert "0 messages read" in rescan("--until", str(day))
    assert "1 messages read" in rescan("--since", str(day), "--conversation", str(past.conversation_id))
    with pytest.raises(CommandError, match="is neither a date"):
        rescan("--since", "yesterday")
