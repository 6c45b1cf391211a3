"""Handing an alert on, putting it aside, and taking a close back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClaimed, InvalidMessage, NotPossible
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.alerts import alert_raise
from crm_contact_guard.supervision.handling import steps
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import UNDO, alert_claim, alert_close, alert_history, alert_reopen, alert_undo
from crm_contact_guard.tasks import sweep
from tests import factories
from tests.clock import Clock
from tests.permissions.conftest import alert as raised
from tests.permissions.conftest import says, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk() -> Conversation:
    aoi = factories.employee("aoi", branch=factories.team(head="chief", deputy="vice"))
    factories.employee("compliance", job="compliance")
    return factories.conversation(aoi)


def named(name: str) -> Employee:
    return Employee.objects.get(name=name)


def test_a_second_claim_is_told_who_has_it_and_since_when(talk: Conversation) -> None:
    alert = raised(talk)
    claimed = alert_claim(alert_id=alert.pk, reviewer=named("Chief"))

    with pytest.raises(AlreadyClaimed, match="Chief is looking at this alert") as refused:
        alert_claim(alert_id=alert.pk, reviewer=named("Vice"))

    assert (refused.value.by, refused.value.at) == ("Chief", claimed.claimed_at)


def test_an_alert_rises_from_the_supervisor_to_the_deputy_to_compliance_and_no_further(talk: Conversation) -> None:
    alert = raised(talk)
    vice = named("Vice")
    went_to = [
        steps.alert_escalate(alert_id=alert.pk, reviewer=vice, comment="Please").addressee for _level in range(2)
    ]

    assert alert.addressee == named("Chief")
    assert went_to == [vice, named("Compliance")]
    assert alert_history(alert)[-1].reason == "Please"
    with pytest.raises(NotPossible, match="nobody to pass this alert on to"):
        steps.alert_escalate(alert_id=alert.pk, reviewer=named("Vice"))


def test_nobody_is_given_an_alert_about_themselves_or_one_they_may_not_handle(talk: Conversation) -> None:
    about_chief = raised(factories.conversation(named("Chief"), name="Robert King"))
    officer = named("Compliance")

    for person in (named("Chief"), named("Aoi")):
        with pytest.raises(InvalidMessage, match="can't be given"):
            steps.alert_assign(alert_id=about_chief.pk, reviewer=officer, to=person.pk)
    Employee.objects.filter(name="Vice").update(active=False)
    with pytest.raises(InvalidMessage, match="can't be given"):
        steps.alert_assign(alert_id=about_chief.pk, reviewer=officer, to=named("Vice").pk)


def test_a_snoozed_alert_returns_when_its_time_has_come_and_once(talk: Conversation, clock: Clock) -> None:
    alert = raised(talk)
    steps.alert_snooze(alert_id=alert.pk, reviewer=named("Chief"), until=timezone.now() + timedelta(hours=3))

    assert sweep()["woken"] == 0
    clock.forward(timedelta(hours=3))
    assert [sweep()["woken"], sweep()["woken"]] == [1, 0]

    alert.refresh_from_db()
    assert (alert.status, alert.snoozed_until) == ("open", None)
    assert [event.kind for event in alert_history(alert)] == ["alert.opened", "alert.snoozed", "alert.woken"]


@pytest.mark.parametrize("until", [timedelta(0), timedelta(days=-1), timedelta(days=91)])
def test_a_snooze_ends_in_the_near_future(talk: Conversation, until: timedelta) -> None:
    alert = raised(talk)

    with pytest.raises(InvalidMessage, match="in the next 90 days"):
        steps.alert_snooze(alert_id=alert.pk, reviewer=named("Chief"), until=timezone.now() + until)


@pytest.mark.parametrize("until", [None, timedelta(days=3)])
def test_a_snoozed_alert_returns_when_it_happens_again(talk: Conversation, until: timedelta | None) -> None:
    alert = raised(talk)
    at = timezone.now() + until if until else None
    steps.alert_snooze(alert_id=alert.pk, reviewer=named("Chief"), until=at)

    again = alert_raise(conversation=talk, verdict=verdict(says(talk)))

    assert again is not None
    assert (again.pk, again.status, again.snoozed_until) == (alert.pk, "open", None)
    assert json.loads(alert_history(alert)[-1].data)["woken"] is True


def test_what_may_wait_keeps_waiting_when_it_happens_again(talk: Conversation) -> None:
    alert = raised(talk)
    steps.alert_defer(alert_id=alert.pk, reviewer=named("Chief"))

    assert alert_raise(conversation=talk, verdict=verdict(says(talk))) == alert
    assert Alert.objects.get().status == "review"


def test_undo_restores_what_was_and_loses_no_history(talk: Conversation) -> None:
    alert, chief = raised(talk), named("Chief")
    alert_claim(alert_id=alert.pk, reviewer=chief)
    alert_close(alert_id=alert.pk, reviewer=chief, resolution="false_positive", comment="Slip of the key")

    undone = alert_undo(alert_id=alert.pk, reviewer=chief)

    assert (undone.status, undone.claimed_by, undone.resolution, undone.comment) == ("claimed", chief, "", "")
    kinds = [event.kind for event in alert_history(alert)]
    assert kinds == ["alert.opened", "alert.claimed", "alert.closed", "alert.reopened"]
    assert alert_history(alert)[2].reason == "Slip of the key"


def test_undo_is_for_some_minutes(talk: Conversation, clock: Clock) -> None:
    alert, chief = raised(talk), named("Chief")
    alert_close(alert_id=alert.pk, reviewer=chief, resolution="no_action")
    clock.forward(UNDO)

    with pytest.raises(NotPossible, match="only for some minutes"):
        alert_undo(alert_id=alert.pk, reviewer=chief)


@pytest.mark.parametrize("resolution", [value for value, _label in Alert.RESOLUTIONS])
def test_any_close_can_be_opened_again_with_a_reason(talk: Conversation, resolution: str) -> None:
    alert = raised(talk)
    alert_close(alert_id=alert.pk, reviewer=named("Chief"), resolution=resolution, comment="Seen")

    with pytest.raises(InvalidMessage, match="Say why"):
        alert_reopen(alert_id=alert.pk, reviewer=named("Vice"), reason=" ")
    opened = alert_reopen(alert_id=alert.pk, reviewer=named("Vice"), reason="The guest wrote again")

    assert (opened.status, opened.resolution, opened.comment, opened.closed_by) == ("open", "", "", None)
    assert alert_history(alert)[-1].reason == "The guest wrote again"
