"""Proposed thresholds, and the cost of each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_contact_guard.calibration.calibrating import Calibration, calibrate
from crm_contact_guard.calibration.proposing import Proposal, Why
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision.models import Alert, Finding, Inspection
from crm_contact_guard.supervision.quality.intervals import Share
from tests import factories
from tests.calibration.record import START, closed, judge, message, talk

pytestmark = pytest.mark.django_db


@pytest.fixture
def aoi() -> Employee:
    return factories.employee("aoi", branch=factories.team(head="sora"))


@pytest.fixture
def sora(aoi: Employee) -> Employee:
    return Employee.objects.get(name="Sora")


def of(made: Calibration, direction: Direction = Direction.INBOUND) -> Proposal:
    return next(one for one in made.proposals if one.direction is direction)


def judged(aoi: Employee, sora: Employee, *, true: list[float], false: list[float]) -> None:
    """A closed alert for each score, each in a separate conversation."""
    for weight in true:
        closed(message(talk(aoi), f"weight {weight}"), "coaching", sora)
    for weight in false:
        closed(message(talk(aoi), f"weight {weight}"), "false_positive", sora)


def test_wilsons_interval() -> None:
    assert Share(8, 10).bounds == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert Share(0, 50).bounds == pytest.approx((0.0, 0.0713), abs=1e-4)
    assert Share(0, 0).bounds == (0.0, 1.0)
    assert (Share(1, 29).small, Share(1, 30).small) == (True, False)


def test_a_higher_threshold_is_proposed_if_it_avoids_false_alarms_and_keeps_true_ones(
    aoi: Employee, sora: Employee
) -> None:
    judged(aoi, sora, true=[0.9] * 39 + [0.5], false=[0.52] * 10 + [0.95])

    found = of(calibrate(judge=judge))

    assert found.now.alert == pytest.approx(0.5)
    assert (found.proposed.alert, found.why) == (0.55, Why.SPARES)
    cost = found.cost(0.55)
    assert (cost.kept, cost.avoided) == (Share(39, 40), Share(10, 11))
    assert cost.alerts == Share(40, 51)
    assert found.cost(found.now.alert).avoided == Share(0, 11)
    assert not found.small


def test_true_alerts_are_not_sacrificed_for_fewer_alarms(aoi: Employee, sora: Employee) -> None:
    judged(aoi, sora, true=[0.5] * 10 + [0.9] * 30, false=[0.52] * 10)

    found = of(calibrate(judge=judge))

    assert (found.proposed.alert, found.why) == (found.now.alert, Why.BEST_AS_IT_IS)


def test_few_reviewed_alerts_change_nothing_and_are_reported_as_few(aoi: Employee, sora: Employee) -> None:
    judged(aoi, sora, true=[0.9] * 3, false=[0.5] * 6)

    found = of(calibrate(judge=judge))

    assert (found.proposed.alert, found.why, found.small, found.judged) == (found.now.alert, Why.TOO_FEW, True, 9)


def test_alerts_within_one_window_count_once(aoi: Employee) -> None:
    first, second = talk(aoi), talk(aoi, "Taro Ito")
    for minutes in (0, 10, 60 * 23, 60 * 24):
        message(first, "weight 0.8", minutes=minutes)
    message(second, "weight 0.2")
    message(second, "weight 0.5", minutes=1)

    found = of(calibrate(judge=judge))

    cost = found.cost(0.7)
    assert (cost.alerts, cost.conversations, cost.per_100_conversations) == (Share(2, 6), 2, 100.0)
    assert found.cost(0.45).alerts == Share(3, 6)
    assert found.cost(0.2).alerts.part == 3


def test_directions_are_counted_separately(aoi: Employee, sora: Employee) -> None:
    one = talk(aoi)
    message(one, "weight 0.9")
    message(one, "weight 0.1", minutes=1, direction="outbound")
    message(one, "weight 0.7", minutes=2, direction="note")

    made = calibrate(judge=judge)

    assert {each.direction: each.cost(0.6).alerts for each in made.proposals} == {
        Direction.INBOUND: Share(1, 1),
        Direction.OUTBOUND: Share(0, 1),
        Direction.NOTE: Share(1, 1),
    }
    assert (made.messages, made.conversations) == (3, 1)


def test_the_noticed_threshold_is_as_low_as_the_limit_allows(aoi: Employee) -> None:
    one = talk(aoi)
    for number in range(1000):
        message(one, f"weight {0.31 if number < 15 else 0.12 if number < 100 else 0.01}", minutes=number)

    found = of(calibrate(judge=judge))

    # From 0.15 on, 15 of 1,000 are noticed; from 0.1 on it would be 100.
    assert found.proposed.noticed == 0.15
    assert found.noticed_proposed == Share(15, 1000)


def test_erased_messages_do_not_count(aoi: Employee, sora: Employee) -> None:
    judged(aoi, sora, true=[0.9], false=[0.9])
    erase_messages(Message.objects.all(), basis="request")

    made = calibrate(judge=judge)

    assert (made.messages, made.true, made.false) == (0, 0, 0)


def test_only_the_requested_period_and_tenant_are_read(aoi: Employee) -> None:
    one = talk(aoi, last=START + timedelta(days=3))
    message(one, "weight 0.9")
    message(one, "weight 0.9", minutes=60 * 24 * 3)

    assert calibrate(judge=judge).messages == 2
    assert calibrate(judge=judge, since=START + timedelta(days=1)).messages == 1
    assert calibrate(judge=judge, since=START + timedelta(days=9)).messages == 0
    assert calibrate(judge=judge, tenant="elsewhere").messages == 0


def test_a_message_is_judged_in_its_conversation_and_a_note_alone(aoi: Employee) -> None:
    one, other = talk(aoi), talk(aoi, "Taro Ito")
    for number, direction in enumerate(["inbound", "note", "outbound"]):
        message(one, f"line {number}", minutes=number * 10, direction=direction)
    message(one, "a week later", minutes=60 * 24 * 7 + 15)
    message(other, "another talk", minutes=5)
    read: list[list[str]] = []

    calibrate(judge=lambda thread: (read.append([line.text for line in thread]), judge(thread))[1])

    assert sorted(read) == [
        ["another talk"],
        ["line 0"],
        ["line 0", "line 2"],
        ["line 1"],
        ["line 2", "a week later"],
    ]


def test_nothing_is_changed(aoi: Employee, sora: Employee) -> None:
    judged(aoi, sora, true=[0.9], false=[0.9])
    before = [model.objects.count() for model in (Event, Alert, Finding, Inspection)]

    with CaptureQueriesContext(
        connection,
    ) as asked:
        calibrate()

    assert [model.objects.count() for model in (Event, Alert, Finding, Inspection)] == before
    assert {query["sql"].split()[0] for query in asked.captured_queries} == {"SELECT"}
