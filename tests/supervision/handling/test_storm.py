"""Many reviewers act on the same alerts at the same moment: each alert gets one owner and one recorded claim."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connection, connections

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClaimed, AlreadyClosed, NotPossible
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.handling.steps import alert_release
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_claim, alert_close
from tests import factories
from tests.permissions.conftest import alert as raised

pytestmark = pytest.mark.django_db(transaction=True)

#: How many claims are tried. ``CONTACT_GUARD_CLAIMS=1000`` tries more.
CLAIMS = int(os.environ.get("CONTACT_GUARD_CLAIMS", "120"))
ALERTS = 6
#: The tests' SQLite is in memory and refuses a second connection instead of letting it wait.
THREADS = 1 if connection.vendor == "sqlite" else 16


@pytest.fixture
def alerts() -> list[UUID]:
    aoi = factories.employee("aoi", branch=factories.team(head="chief", deputy="vice"))
    for number in range(8):
        factories.employee(f"officer{number}", job="compliance")
    return [raised(factories.conversation(aoi, name=f"Guest {number}")).pk for number in range(ALERTS)]


def at_once(acts: list[tuple[object, UUID, Employee]]) -> Counter[str]:
    def one(act: tuple[object, UUID, Employee]) -> str:
        service, alert, person = act
        try:
            service(alert_id=alert, reviewer=person)  # type: ignore[operator]
        except (AlreadyClaimed, AlreadyClosed, NotPossible) as error:
            return type(error).__name__
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(pool.map(one, acts))


def test_concurrent_claims_give_each_alert_one_owner(alerts: list[UUID]) -> None:
    people = list(Employee.objects.filter(role="compliance"))
    acts = [(alert_claim, alerts[number % ALERTS], people[number // ALERTS % len(people)]) for number in range(CLAIMS)]

    outcome = at_once(acts)  # type: ignore[arg-type]

    claims = Event.objects.filter(kind="alert.claimed")
    assert claims.count() == ALERTS
    for row in Alert.objects.all():
        assert claims.get(subject_id=str(row.pk)).actor == str(row.claimed_by_id)
    # The owner's own repeated claims have no effect, and all others are told.
    mine = sum(Alert.objects.filter(pk=alert, claimed_by=person).exists() for _act, alert, person in acts)
    assert outcome == {"done": mine, "AlreadyClaimed": CLAIMS - mine}


def test_claims_releases_and_closes_at_once_leave_a_history_that_adds_up(alerts: list[UUID]) -> None:
    people = list(Employee.objects.filter(role="compliance"))

    def close(alert_id: UUID, reviewer: Employee) -> Alert:
        return alert_close(alert_id=alert_id, reviewer=reviewer, resolution="no_action")

    services = [alert_claim, alert_release, alert_claim, close]
    at_once([(services[n % 4], alerts[n // 4 % ALERTS], people[n % len(people)]) for n in range(CLAIMS)])

    for row in Alert.objects.all():
        events = Event.objects.filter(subject_id=str(row.pk)).exclude(kind="alert.opened").order_by("recorded_at", "id")
        state, holder = "open", None
        for event in events:
            if event.kind == "alert.claimed":
                assert state == "open"
                state, holder = "claimed", event.actor
            elif event.kind == "alert.released":
                assert state == "claimed"
                state, holder = "open", None
            else:
                assert (event.kind, state in ("open", "claimed")) == ("alert.closed", True)
                assert state == "open" or holder == event.actor
                state = "closed"
        assert row.status == state


def test_an_evenings_messages_inspected_at_once_fire_one_alert(alerts: list[UUID]) -> None:
    aoi = Employee.objects.get(name="Aoi")
    evening = factories.office_time().replace(hour=21)
    talks = [factories.conversation(aoi, name=f"Evening {number}") for number in range(24)]
    sent = [
        factories.recorded(talk, "See you.", direction="outbound", employee_id=aoi.pk, occurred_at=evening)
        for talk in talks
    ]

    def fire(message: Message) -> None:
        try:
            finding = NewFinding(
                message=message, kind="after_hours", start=0, end=0, score=1.0, detector="test", version="1"
            )
            verdict = Verdict(topic="after_hours", by="employee", stance="none", at=message, findings=[finding])
            alert_raise(conversation=message.conversation, verdict=verdict)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fire, sent))

    alert = Alert.objects.get(topic="after_hours")
    assert alert.findings.count() == alert.times == 24
    assert Event.objects.filter(kind="alert.opened", subject_id=str(alert.pk)).count() == 1
    told = Notice.objects.filter(topic="alert", subject_id=str(alert.pk))
    assert len(set(told.values_list("employee", "way"))) == told.count()
    assert set(told.values_list("employee", flat=True)) == {alert.addressee_id}
