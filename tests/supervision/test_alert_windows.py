"""One alert a window, topic and side: what joins it, what opens the next, how grave it is, and whom it tells."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise, by_side
from crm_contact_guard.supervision.handling.severity import severity_of
from crm_contact_guard.supervision.models import Alert, Finding, Tier
from crm_contact_guard.supervision.noticing import notice
from tests import factories

pytestmark = pytest.mark.django_db

WINDOW = timedelta(hours=24)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def conversation() -> Conversation:
    return factories.conversation(factories.employee("aoi", branch=factories.team(head="sora", deputy="yui")))


def says(conversation: Conversation, after: timedelta = timedelta(0)) -> Message:
    return factories.recorded(conversation, "Some words or other", occurred_at=factories.office_time() + after)


def verdict(message: Message, *kinds: str, score: float = 0.9, place: str = "", **more: Any) -> Verdict:
    findings = [
        NewFinding(
            message=message, kind=kind, start=0, end=4, score=score, detector=f"test {kind}", version="1", place=place
        )
        for kind in kinds or ("contact_request",)
    ]
    return Verdict(at=message, findings=findings, **{"topic": "off_channel", "by": "customer", "stance": "ask", **more})


def raised(conversation: Conversation, verdict: Verdict, **more: Any) -> Alert:
    found = alert_raise(conversation=conversation, verdict=verdict, **more)
    assert found is not None
    return found


def told(alert: Alert) -> dict[str, Any]:
    """What the newest event of the alert says."""
    event = Event.objects.filter(subject_type="alert", subject_id=str(alert.pk)).order_by("recorded_at", "pk").last()
    assert event is not None
    return {"kind": event.kind, **json.loads(event.data)}


# --- how grave


def test_severity_may_rise_and_never_falls(conversation: Conversation) -> None:
    mild = verdict(says(conversation), by="employee", stance="offer")
    grave = verdict(says(conversation, MOMENT), "contact_identifier", by="employee", stance="offer")
    mild_again = verdict(says(conversation, 2 * MOMENT), by="employee", stance="offer")

    severities = [raised(conversation, one).severity for one in (mild, grave, mild_again)]

    assert severities == [2, 3, 3]
    assert Alert.objects.get().severity == 3


@pytest.mark.parametrize(
    ("kinds", "more", "severity"),
    [
        (("contact_identifier",), {"by": "employee"}, 3),
        (("contact_request", "contact_identifier"), {"by": "employee"}, 3),
        (("contact_request",), {"by": "employee", "stance": "accept"}, 3),
        (("contact_request",), {"by": "employee", "stance": "offer"}, 2),
        (("contact_identifier",), {"by": "customer", "stance": "accept"}, 2),
        (("harassment",), {"topic": "harassment"}, 3),
        (("harassment",), {"topic": "harassment", "place": "file-0"}, 3),
        (("contact_request",), {"topic": "scan_failure"}, 3),
        (("contact_request",), {"topic": "scan_failure", "place": "file-0"}, 1),
        (("after_hours",), {"topic": "after_hours", "by": "employee"}, 1),
        (("sensitive_data",), {"topic": "sensitive_data"}, 2),
    ],
)
def test_how_grave_it_is(conversation: Conversation, kinds: tuple[str, ...], more: Any, severity: int) -> None:
    assert severity_of(verdict(says(conversation), *kinds, **more)) == severity


def test_a_text_that_failed_beside_a_file_that_did_is_grave(conversation: Conversation) -> None:
    message = says(conversation)
    text, file = verdict(message, topic="scan_failure"), verdict(message, topic="scan_failure", place="file-0")

    both = Verdict(
        topic="scan_failure", by="customer", stance="none", at=message, findings=[*file.findings, *text.findings]
    )
    assert severity_of(both) == 3


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (("contact_request", 0.4), ("side_deal", 0.8), "side_deal"),
        (("contact_request", 0.8), ("side_deal", 0.4), "contact_request"),
        (("contact_request", 0.8), ("contact_identifier", 0.8), "contact_identifier"),
    ],
)
def test_an_alert_is_called_by_its_strongest_finding(
    conversation: Conversation, first: tuple[str, float], second: tuple[str, float], kind: str
) -> None:
    raised(conversation, verdict(says(conversation), first[0], score=first[1]))
    joined = raised(conversation, verdict(says(conversation, MOMENT), second[0], score=second[1]))

    assert joined.kind == kind
    assert Alert.objects.get().findings.count() == 2


def test_whose_words_a_message_holds() -> None:
    assert [by_side(direction) for direction in ("inbound", "outbound", "note")] == ["customer", "employee", "employee"]


# --- what joins


def test_findings_join_until_the_window_ends(conversation: Conversation) -> None:
    first = raised(conversation, verdict(says(conversation)))
    assert first.window_ends_at == factories.office_time() + WINDOW
    assert raised(conversation, verdict(says(conversation, WINDOW - MOMENT))) == first

    assert raised(conversation, verdict(says(conversation, WINDOW))) != first
    assert sorted(alert.findings.count() for alert in Alert.objects.all()) == [1, 2]


def test_of_two_open_windows_the_newer_takes_what_comes(conversation: Conversation) -> None:
    first = raised(conversation, verdict(says(conversation)))
    second = raised(conversation, verdict(says(conversation, WINDOW)))
    Alert.objects.filter(pk=first.pk).update(window_ends_at=factories.office_time() + 2 * WINDOW)

    assert raised(conversation, verdict(says(conversation, WINDOW + MOMENT))) == second


@pytest.mark.parametrize("other", [{"topic": "harassment"}, {"by": "employee"}])
def test_another_story_is_another_alert(conversation: Conversation, other: dict[str, str]) -> None:
    first = raised(conversation, verdict(says(conversation)))

    assert raised(conversation, verdict(says(conversation, MOMENT), **other)) != first


def test_another_conversation_is_another_alert_and_each_grows_alone(conversation: Conversation) -> None:
    first = raised(conversation, verdict(says(conversation)))
    elsewhere = factories.conversation(conversation.employee, name="Robert King")
    other = raised(elsewhere, verdict(says(elsewhere)))
    assert other != first
    before = Alert.objects.filter(pk=other.pk).values().get()

    raised(conversation, verdict(says(conversation, MOMENT), "contact_identifier", by="customer"))

    assert Alert.objects.filter(pk=other.pk).values().get() == before


def test_what_comes_after_a_close_opens_the_next(conversation: Conversation) -> None:
    first = raised(conversation, verdict(says(conversation)))
    Alert.objects.filter(pk=first.pk).update(status="claimed")
    assert raised(conversation, verdict(says(conversation, MOMENT))) == first

    Alert.objects.filter(pk=first.pk).update(status="closed")
    assert raised(conversation, verdict(says(conversation, 2 * MOMENT))) != first


def test_the_same_findings_again_are_nothing_new(conversation: Conversation) -> None:
    seen = verdict(says(conversation))
    raised(conversation, seen)

    assert alert_raise(conversation=conversation, verdict=seen) is None
    Alert.objects.update(status="closed")
    assert alert_raise(conversation=conversation, verdict=seen) is None
    assert (Alert.objects.count(), Finding.objects.count()) == (1, 1)
    assert Event.objects.filter(subject_type="alert").count() == 1


def test_joining_is_recorded_and_shows_on_open_pages(conversation: Conversation) -> None:
    first = raised(conversation, verdict(says(conversation)))
    Alert.objects.update(updated_at=timezone.now() - WINDOW)
    later = says(conversation, MOMENT)

    joined = raised(conversation, verdict(later, "contact_request", "side_deal"))

    assert joined.updated_at > timezone.now() - timedelta(minutes=1)
    assert {**told(first), "row": {}} == {
        "row": {}, "kind": "alert.extended", "findings": 2, "at_message": str(later.pk), "promoted": 0,
    }  # fmt: skip
    assert joined.at_message != later, "the message that first completed the evidence"


def test_an_opened_alert_says_what_why_and_to_whom(conversation: Conversation) -> None:
    message = says(conversation)

    opened = raised(conversation, verdict(message, "contact_identifier", "contact_request"))

    sora = Employee.objects.get(name="Sora")
    assert (opened.team, opened.concerned, opened.addressee) == (conversation.team, conversation.employee, sora)
    assert (opened.at_message, opened.status, opened.tenant) == (message, "open", conversation.tenant)
    event = Event.objects.get(kind="alert.opened")
    assert (event.actor_type, event.conversation, event.subject_id) == ("system", conversation, str(opened.pk))
    assert {**json.loads(event.data), "row": {}} == {
        "row": {},
        "topic": "off_channel", "kind": "contact_identifier", "by": "customer", "stance": "ask", "severity": 2,
        "at_message": str(message.pk), "addressee": str(sora.pk), "promoted": 0,
    }  # fmt: skip


# --- what was noticed before


def noticed(conversation: Conversation, after: timedelta, *, kind: str = "contact_request", **more: Any) -> Finding:
    [found] = notice(
        conversation=conversation, verdict=verdict(says(conversation, after), kind, tier=Tier.NOTICED, **more)
    )
    return found


def test_what_was_noticed_in_the_window_before_joins_as_evidence(conversation: Conversation) -> None:
    at = timedelta(days=3)
    inside = [noticed(conversation, at - WINDOW + MOMENT), noticed(conversation, at, kind="side_deal")]
    outside = [
        noticed(conversation, at - WINDOW),
        noticed(conversation, at + MOMENT),
        noticed(conversation, at - MOMENT, by="employee"),
        noticed(conversation, at - MOMENT, kind="harassment", topic="harassment"),
    ]
    elsewhere = factories.conversation(conversation.employee, name="Robert King")
    outside.append(noticed(elsewhere, at - MOMENT))

    opened = raised(conversation, verdict(says(conversation, at)))

    joined = set(opened.findings.all())
    assert joined >= set(inside)
    assert len(joined) == 3
    assert not joined & set(outside)
    assert told(opened)["promoted"] == 2
    assert told(opened)["promoted_from"] == [str(found.message_id) for found in inside]


def test_what_is_only_noticed_opens_no_alert(conversation: Conversation) -> None:
    noticed(conversation, timedelta(0))
    seen = verdict(says(conversation, MOMENT))
    raised(conversation, seen)
    Alert.objects.update(status="closed")
    noticed(conversation, MOMENT)

    assert alert_raise(conversation=conversation, verdict=seen) is None


def test_an_open_alert_takes_in_what_was_noticed_since(conversation: Conversation) -> None:
    seen = verdict(says(conversation, MOMENT))
    first = raised(conversation, seen)
    late = noticed(conversation, timedelta(0))

    assert alert_raise(conversation=conversation, verdict=seen) == first
    late.refresh_from_db()
    assert late.alert == first
    assert told(first)["promoted"] == 1
    assert told(first)["findings"] == 0


def test_a_noticed_finding_that_now_warns_belongs_to_the_alert(conversation: Conversation) -> None:
    message = says(conversation)
    notice(conversation=conversation, verdict=verdict(message, tier=Tier.NOTICED))

    opened = raised(conversation, verdict(message))

    assert [found.alert for found in Finding.objects.all()] == [opened]
    assert told(opened)["promoted"] == 0


# --- whom it tells


def test_the_addressee_is_told_when_the_notice_is_due(conversation: Conversation) -> None:
    before = timezone.now()

    opened = raised(conversation, verdict(says(conversation)), notice_in=timedelta(minutes=3))
    raised(conversation, verdict(says(conversation, MOMENT)))

    for way in ("in_app", "email"):
        waiting = Notice.objects.get(way=way)
        assert (waiting.subject_id, waiting.employee) == (str(opened.pk), opened.addressee)
        assert waiting.due_at is not None
        assert before + timedelta(minutes=3) <= waiting.due_at <= timezone.now() + timedelta(minutes=3)


def test_nobody_is_told_when_nobody_is_to_be_told(conversation: Conversation) -> None:
    raised(conversation, verdict(says(conversation)), notify=False)
    assert not Notice.objects.exists()
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "NOTIFY": {"email": False}}):
        raised(conversation, verdict(says(conversation), topic="harassment"))
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "NOTIFY": {}}):
        assert [notice.way for notice in Notice.objects.all()] == ["in_app"]
        raised(conversation, verdict(says(conversation), topic="after_hours"))
        assert Notice.objects.filter(way="email").count() == 1


def test_an_alert_to_which_nobody_is_found_stands_all_the_same() -> None:
    alone = factories.conversation(factories.employee("aoi"))

    opened = raised(alone, verdict(says(alone)))

    assert opened.addressee is None
    assert told(opened)["addressee"] is None
    assert not Notice.objects.exists()
