"""Noticed findings: stored without notifying anybody, and added to the alert of a later message."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import override_settings

from crm_contact_guard import detection, gateway
from crm_contact_guard.monitoring.measuring import measures
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.policy.company import company
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert, Finding, Inspection, Tier
from crm_contact_guard.supervision.noticing import notice
from crm_contact_guard.supervision.rescan import Rescanned, messages_to_rescan, rescan
from crm_contact_guard.verification.whole_record import verify
from tests import factories

pytestmark = pytest.mark.django_db

#: A common harmless text that scores between the two thresholds of ``unsure``.
MAYBE = "LINEやってますか？"
PLAIN = "個人のLINEを交換しませんか？IDは hanako_22 です"


def unsure() -> Any:
    """A company with thresholds that raise no alerts and notice much."""
    return override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "THRESHOLDS": {"alert": 0.99, "noticed": 0.02}})


@pytest.fixture
def conversation() -> Conversation:
    return factories.conversation(factories.employee("aoi", branch=factories.team(head="sora")))


def says(conversation: Conversation, text: str, minutes: float = 0) -> Message:
    """A customer's message; its on_commit hooks are not run."""
    return factories.received(text, conversation, occurred_at=factories.office_time() + timedelta(minutes=minutes))


def verdict(message: Message, tier: str = Tier.NOTICED, *, start: int = 0, **more: Any) -> Verdict:
    finding = NewFinding(
        message=message, kind=more.pop("kind", "contact_request"), start=start, end=start + 4, score=0.31,
        detector="test", version="1",
    )  # fmt: skip
    told = {"topic": "off_channel", "by": "customer", "stance": "ask", **more}
    return Verdict(at=message, findings=[finding], tier=tier, **told)


def test_noticed_findings_are_stored_and_nobody_is_notified(
    conversation: Conversation, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with unsure(), django_capture_on_commit_callbacks(execute=True):
        message = says(conversation, MAYBE)

    found = list(Finding.objects.all())
    assert found
    assert {(each.alert, each.tier, each.by, each.message) for each in found} == {
        (None, "noticed", "customer", message)
    }
    assert Inspection.objects.get().message == message
    assert not Alert.objects.exists()
    assert not Notice.objects.exclude(topic="unread_message").exists()
    assert mail.outbox == []
    assert [one.value for one in measures() if one.name == "noticed_last_hour"] == [1]


def test_the_event_has_the_kind_and_span_of_a_noticed_finding_but_no_text(conversation: Conversation) -> None:
    with unsure():
        message = says(conversation, MAYBE)
        inspection.inspect(message)

    event = Event.objects.get(kind="message.noticed")
    assert (event.message, event.conversation) == (message, conversation)
    told = json.loads(event.data)
    assert (told["topic"], told["by"]) == ("off_channel", "customer")
    [stored] = Finding.objects.all()
    assert told["findings"] == [
        {
            "message": str(message.pk), "kind": stored.kind, "place": "", "start": stored.start, "end": stored.end,
            "score": f"{stored.score:.4f}", "detector": stored.detector, "version": stored.version,
        }
    ]  # fmt: skip
    assert "LINE" not in f"{event.data}{event.reason}{event.details}"


def test_inspecting_twice_notices_once(conversation: Conversation) -> None:
    with unsure():
        message = says(conversation, MAYBE)
        inspection.inspect(message)
        kept = list(Finding.objects.values_list("pk", flat=True))

        assert inspection.inspect(message) == []

    assert list(Finding.objects.values_list("pk", flat=True)) == kept
    assert Event.objects.filter(kind="message.noticed").count() == 1


def test_a_later_alert_includes_noticed_findings(conversation: Conversation) -> None:
    with unsure():
        first = says(conversation, MAYBE)
        inspection.inspect(first)
    second = says(conversation, PLAIN, minutes=30)

    [alert] = inspection.inspect(second)

    assert alert.at_message == second
    assert not Finding.objects.filter(alert__isnull=True).exists()
    assert {finding.message for finding in alert.findings.all()} == {first, second}
    told = json.loads(Event.objects.get(kind="alert.opened").data)
    assert (told["promoted"], told["promoted_from"]) == (1, [str(first.pk)])

    assert inspection.inspect(second) == []
    assert list(Event.objects.filter(subject_type="alert").values_list("kind", flat=True)) == ["alert.opened"]


def test_an_open_alert_includes_findings_noticed_since(conversation: Conversation) -> None:
    alert = alert_raise(conversation=conversation, verdict=verdict(says(conversation, "one"), Tier.ALERT))
    between = says(conversation, "two", minutes=1)
    notice(conversation=conversation, verdict=verdict(between))
    assert alert is not None
    assert alert.findings.count() == 1

    alert_raise(conversation=conversation, verdict=verdict(says(conversation, "three", minutes=2), Tier.ALERT))

    assert alert.findings.count() == 3
    told = json.loads(Event.objects.get(kind="alert.extended").data)
    assert (told["findings"], told["promoted"], told["promoted_from"]) == (1, 1, [str(between.pk)])


@pytest.mark.parametrize(
    ("minutes", "more"),
    [
        (-60 * 25, {}),
        (1, {}),
        (-10, {"by": "employee"}),
        (-10, {"topic": "harassment", "kind": "harassment"}),
    ],
    ids=["another_window", "later", "the_other_side", "another_topic"],
)
def test_findings_of_another_topic_or_time_stay_noticed(
    conversation: Conversation, minutes: float, more: dict[str, str]
) -> None:
    apart = says(conversation, "apart", minutes=minutes)
    notice(conversation=conversation, verdict=verdict(apart, **more))

    alert_raise(conversation=conversation, verdict=verdict(says(conversation, "now"), Tier.ALERT))

    assert Finding.objects.get(message=apart).alert is None
    assert json.loads(Event.objects.get(kind="alert.opened").data)["promoted"] == 0


def test_another_customers_conversation_is_not_changed(conversation: Conversation) -> None:
    other = factories.conversation(conversation.employee, name="Taro Ito")
    apart = says(other, "apart", minutes=-5)
    notice(conversation=other, verdict=verdict(apart))

    alert_raise(conversation=conversation, verdict=verdict(says(conversation, "now"), Tier.ALERT))

    assert Finding.objects.get(message=apart).alert is None


def test_harassment_may_be_noticed_and_joins_a_later_alert(conversation: Conversation) -> None:
    weak = {"topic": "harassment", "kind": "harassment", "stance": "none"}
    first = says(conversation, "one")
    notice(conversation=conversation, verdict=verdict(first, **weak))
    assert not Alert.objects.exists()

    alert = alert_raise(
        conversation=conversation, verdict=verdict(says(conversation, "two", minutes=3), Tier.ALERT, **weak)
    )

    assert alert is not None
    assert alert.topic == "harassment"
    assert {finding.message.text for finding in alert.findings.all()} == {"one", "two"}


def test_a_rescan_stores_findings_of_both_tiers(conversation: Conversation) -> None:
    says(conversation, MAYBE)
    total = Rescanned()
    with unsure():
        seen = list(rescan(messages_to_rescan(), dry_run=True, notify=False, total=total))
        assert (len(seen), total.noticed, len(total.alerts)) == (1, 1, 0)
        assert not Finding.objects.exists()

        total = Rescanned()
        list(rescan(messages_to_rescan(), dry_run=False, notify=False, total=total))

    assert Finding.objects.get().tier == "noticed"
    assert json.loads(Event.objects.get(kind="detection.rescanned").data)["noticed"] == 1


def test_noticed_findings_are_not_shown_to_the_writer(conversation: Conversation) -> None:
    assert conversation.employee is not None
    text = "How about dinner together sometime, just the two of us? I am on LINE."
    with unsure():
        assert detection.scan(text, direction="outbound", company=company()).tier.value == "noticed"
        looked = gateway.preview(actor=conversation.employee, text=text, at=factories.office_time())

    assert (looked.scan.findings, looked.scan.by, looked.scan.tier.value) == ((), None, "none")
    assert looked.decision.reasons == ()


def test_verification_passes_after_noticing_promotion_and_erasure(conversation: Conversation) -> None:
    with unsure():
        message = says(conversation, MAYBE)
        inspection.inspect(message)
    assert verify().holds

    inspection.inspect(says(conversation, PLAIN, minutes=30))
    assert verify().holds

    erase_messages(Message.objects.filter(pk=message.pk), basis="request")
    assert verify().holds
    assert Finding.objects.filter(message=message).exists()
