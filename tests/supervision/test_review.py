"""An alert in people's hands: who looks at it, how it ends, and that an end stands."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClaimed, AlreadyClosed, InvalidMessage
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import MAX_COMMENT, alert_claim, alert_close, alert_history, alert_reopen
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation() -> Conversation:
    return factories.conversation(factories.employee("aoi", branch=factories.team(head="sora", deputy="yui")))


@pytest.fixture
def alert(conversation: Conversation) -> Alert:
    at = factories.office_time()
    message = factories.recorded(conversation, "Hello", occurred_at=at)
    finding = NewFinding(
        message=message, kind="contact_request", start=0, end=5, score=0.9, detector="test", version="1"
    )
    raised = alert_raise(
        conversation=conversation,
        verdict=Verdict(topic="off_channel", by="customer", stance="ask", at=message, findings=[finding]),
    )
    assert raised is not None
    Alert.objects.filter(pk=raised.pk).update(updated_at=timezone.now() - timedelta(days=1))
    return raised


def sora() -> Employee:
    return Employee.objects.get(name="Sora")


def yui() -> Employee:
    return Employee.objects.get(name="Yui")


def close(alert: Alert, **more: Any) -> Alert:
    given = {"reviewer": sora(), "resolution": "coaching", "comment": "We talked.", **more}
    return alert_close(alert_id=alert.pk, **given)


def steps(alert: Alert) -> list[str]:
    return [event.kind for event in alert_history(alert)]


def touched(alert: Alert) -> bool:
    """Whether the alert says that it changed just now: open pages ask for what is newer than they are."""
    return Alert.objects.get(pk=alert.pk).updated_at > timezone.now() - timedelta(minutes=1)


def test_a_claim_names_who_looks_at_it_and_is_recorded_once(alert: Alert, conversation: Conversation) -> None:
    claimed = alert_claim(alert_id=alert.pk, reviewer=sora())
    again = alert_claim(alert_id=alert.pk, reviewer=sora())

    assert (claimed.status, claimed.claimed_by) == ("claimed", sora())
    assert (again.status, again.claimed_by) == ("claimed", sora())
    assert touched(alert)
    [opened, event] = alert_history(alert)
    assert (opened.kind, event.kind) == ("alert.opened", "alert.claimed")
    assert (event.actor_type, event.actor, event.conversation) == ("employee", str(sora().pk), conversation)
    assert (event.subject_type, event.subject_id) == ("alert", str(alert.pk))
    assert json.loads(event.data)["was"] == "open"
    assert claimed.claimed_at is not None


def test_a_claim_is_not_taken_over(alert: Alert) -> None:
    alert_claim(alert_id=alert.pk, reviewer=sora())

    with pytest.raises(AlreadyClaimed):
        alert_claim(alert_id=alert.pk, reviewer=yui())

    alert.refresh_from_db()
    assert alert.claimed_by == sora()
    assert steps(alert) == ["alert.opened", "alert.claimed"]


@pytest.mark.parametrize("who", [sora, yui])
@pytest.mark.parametrize("claimed", [True, False])
def test_what_is_closed_can_not_be_claimed_again(alert: Alert, claimed: bool, who: Any) -> None:
    if claimed:
        alert_claim(alert_id=alert.pk, reviewer=sora())
    close(alert)
    before = steps(alert)

    with pytest.raises(AlreadyClosed):
        alert_claim(alert_id=alert.pk, reviewer=who())

    alert.refresh_from_db()
    assert (alert.status, alert.resolution, alert.closed_by) == ("closed", "coaching", sora())
    assert alert.claimed_by == (sora() if claimed else None)
    assert steps(alert) == before


def test_a_close_keeps_how_why_by_whom_and_when(alert: Alert) -> None:
    before = timezone.now()

    closed = close(alert, comment="  We talked.\n")

    assert (closed.status, closed.resolution, closed.comment) == ("closed", "coaching", "We talked.")
    assert closed.closed_by == sora()
    assert closed.closed_at is not None
    assert before <= closed.closed_at <= timezone.now()
    assert touched(alert)
    event = alert_history(alert)[-1]
    assert (event.kind, event.actor, event.reason) == ("alert.closed", str(sora().pk), "We talked.")
    assert json.loads(event.data)["resolution"] == "coaching"


def test_a_close_without_a_word_records_none(alert: Alert) -> None:
    close(alert, comment=" ")

    assert alert_history(alert)[-1].reason is None


def test_the_same_close_again_is_harmless(alert: Alert) -> None:
    first = close(alert)
    again = close(alert, comment="We talked. ")

    assert again.closed_at == first.closed_at
    assert steps(alert) == ["alert.opened", "alert.closed"]


@pytest.mark.parametrize("other", [{"resolution": "no_action"}, {"comment": "We did not."}, {"reviewer": yui}])
def test_a_close_is_not_overwritten(alert: Alert, other: dict[str, Any]) -> None:
    close(alert)

    with pytest.raises(AlreadyClosed):
        close(alert, **{name: value() if callable(value) else value for name, value in other.items()})

    alert.refresh_from_db()
    assert (alert.resolution, alert.comment, alert.closed_by) == ("coaching", "We talked.", sora())
    assert steps(alert) == ["alert.opened", "alert.closed"]


@pytest.mark.parametrize("resolution", ["", "dismissal", "noticed", "Talked it over"])
def test_only_a_persons_resolutions_close(alert: Alert, resolution: str) -> None:
    with pytest.raises(InvalidMessage, match="false_positive, no_action, coaching, case_opened") as caught:
        close(alert, resolution=resolution)

    assert caught.value.field == "resolution"
    alert.refresh_from_db()
    assert alert.status == "open"


def test_a_comment_may_be_long_but_not_endless(alert: Alert) -> None:
    with pytest.raises(InvalidMessage, match="4000") as caught:
        close(alert, comment="x" * 4001)
    assert caught.value.field == "comment"

    assert len(close(alert, comment=f" {'x' * 4000} ").comment) == 4000 == MAX_COMMENT


def test_what_the_reader_set_aside_can_be_taken_up_again(alert: Alert) -> None:
    Alert.objects.filter(pk=alert.pk).update(status="closed", resolution="noticed", closed_at=timezone.now())

    opened = alert_reopen(alert_id=alert.pk, reviewer=sora())
    again = alert_reopen(alert_id=alert.pk, reviewer=sora())

    assert (opened.status, opened.resolution, opened.closed_at) == ("open", "", None)
    assert again.status == "open"
    assert touched(alert)
    assert steps(alert) == ["alert.opened", "alert.reopened"]
    assert alert_history(alert)[-1].actor == str(sora().pk)


def test_each_alert_has_a_life_and_a_history_of_its_own(alert: Alert, conversation: Conversation) -> None:
    at = factories.office_time()
    message = factories.recorded(conversation, "You!", occurred_at=at)
    finding = NewFinding(message=message, kind="harassment", start=0, end=4, score=0.9, detector="test", version="1")
    other = alert_raise(
        conversation=conversation,
        verdict=Verdict(topic="harassment", by="customer", stance="none", at=message, findings=[finding]),
    )
    assert other is not None
    alert_claim(alert_id=alert.pk, reviewer=sora())
    other.refresh_from_db()
    assert (other.status, other.claimed_by) == ("open", None)
    alert_claim(alert_id=other.pk, reviewer=yui())
    close(alert)
    other.refresh_from_db()
    assert (other.status, other.resolution, other.claimed_by) == ("claimed", "", yui())
    Alert.objects.filter(pk=other.pk).update(status="closed", resolution="noticed")
    alert_reopen(alert_id=other.pk, reviewer=yui())
    alert.refresh_from_db()
    assert (alert.status, alert.closed_by) == ("closed", sora())

    assert steps(alert) == ["alert.opened", "alert.claimed", "alert.closed"]
    assert steps(other) == ["alert.opened", "alert.claimed", "alert.reopened"]
    assert Event.objects.filter(subject_type="alert").count() == 6
