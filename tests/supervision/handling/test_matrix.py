"""Every action in every state by everybody who may review: what happens is what the rules in words below say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import product

import pytest
from django.db import transaction
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClaimed, AlreadyClosed, ContactGuardError, NotPermitted, NotPossible
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.supervision.handling import steps
from crm_contact_guard.supervision.handling.transitions import TRANSITIONS, Action
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_claim, alert_close, alert_history, alert_reopen, alert_undo
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.permissions.conftest import alert as raised

pytestmark = pytest.mark.django_db

ACTIONS: dict[Action, Callable[[Alert, Employee], Alert]] = {
    Action.CLAIM: lambda alert, who: alert_claim(alert_id=alert.pk, reviewer=who),
    Action.RELEASE: lambda alert, who: steps.alert_release(alert_id=alert.pk, reviewer=who),
    Action.ASSIGN: lambda alert, who: steps.alert_assign(alert_id=alert.pk, reviewer=who, to=named("Vice").pk),
    Action.ESCALATE: lambda alert, who: steps.alert_escalate(alert_id=alert.pk, reviewer=who),
    Action.SNOOZE: lambda alert, who: steps.alert_snooze(alert_id=alert.pk, reviewer=who, until=None),
    Action.DEFER: lambda alert, who: steps.alert_defer(alert_id=alert.pk, reviewer=who),
    Action.WAKE: lambda alert, who: steps.alert_wake(alert_id=alert.pk, reviewer=who),
    Action.CLOSE: lambda alert, who: alert_close(alert_id=alert.pk, reviewer=who, resolution="coaching"),
    Action.REOPEN: lambda alert, who: alert_reopen(alert_id=alert.pk, reviewer=who, reason="A second look"),
    Action.UNDO: lambda alert, who: alert_undo(alert_id=alert.pk, reviewer=who),
}
STATES = ("open", "claimed", "review", "snoozed", "closed")
#: Chief holds the claim and closed the closed one. Vice is the deputy, boss supervises another team.
PEOPLE = ("Chief", "Vice", "Compliance", "Auditor", "Aoi", "Boss")

#: What each reviewer's action leads to, by state, in the order of STATES. "-": nothing changes; "claimed", "closed" and
#: "no": refused because a colleague has it, because it is closed, or because the state doesn't know the action.
EXPECTED = {
    ("claim", "Chief"): "claimed - claimed claimed !closed",
    ("claim", "Vice"): "claimed !claimed claimed claimed !closed",
    ("claim", "Compliance"): "claimed !claimed claimed claimed !closed",
    ("release", "Chief"): "- open !no !no !closed",
    ("release", "Vice"): "- !claimed !no !no !closed",
    ("release", "Compliance"): "- open !no !no !closed",
    ("assign", "Chief"): "open open open open !closed",
    ("assign", "Vice"): "open !claimed open open !closed",
    ("assign", "Compliance"): "open open open open !closed",
    ("escalate", "Chief"): "open open open open !closed",
    ("escalate", "Vice"): "open !claimed open open !closed",
    ("escalate", "Compliance"): "open open open open !closed",
    ("snooze", "Chief"): "snoozed snoozed snoozed snoozed !closed",
    ("snooze", "Vice"): "snoozed !claimed snoozed snoozed !closed",
    ("snooze", "Compliance"): "snoozed !claimed snoozed snoozed !closed",
    ("defer", "Chief"): "review review - review !closed",
    ("defer", "Vice"): "review !claimed - review !closed",
    ("defer", "Compliance"): "review !claimed - review !closed",
    ("wake", "Chief"): "- !no open open !closed",
    ("wake", "Vice"): "- !claimed open open !closed",
    ("wake", "Compliance"): "- !claimed open open !closed",
    ("close", "Chief"): "closed closed closed closed -",
    ("close", "Vice"): "closed !claimed closed closed !closed",
    ("close", "Compliance"): "closed !claimed closed closed !closed",
    ("reopen", "Chief"): "- !no !no !no open",
    ("reopen", "Vice"): "- !claimed !no !no open",
    ("reopen", "Compliance"): "- !claimed !no !no open",
    ("undo", "Chief"): "- !no !no !no open",
    ("undo", "Vice"): "- !claimed !no !no !no",
    ("undo", "Compliance"): "- !claimed !no !no !no",
}
REFUSED: dict[str, type[ContactGuardError]] = {"!claimed": AlreadyClaimed, "!closed": AlreadyClosed, "!no": NotPossible}


def named(name: str) -> Employee:
    return Employee.objects.get(name=name)


@pytest.fixture
def people() -> dict[str, Employee]:
    desk, hall = factories.team("Front desk", head="chief", deputy="vice"), factories.team("Hall", head="boss")
    factories.employee("aoi", branch=desk)
    factories.employee("ren", branch=hall)
    for job in ("compliance", "auditor"):
        factories.employee(job, job=job)
    return {person.name: person for person in Employee.objects.all()}


def in_state(state: str, people: dict[str, Employee]) -> Alert:
    alert, chief = raised(factories.conversation(people["Aoi"])), people["Chief"]
    if state == "claimed":
        alert_claim(alert_id=alert.pk, reviewer=chief)
    elif state == "review":
        steps.alert_defer(alert_id=alert.pk, reviewer=chief)
    elif state == "snoozed":
        steps.alert_snooze(alert_id=alert.pk, reviewer=chief, until=timezone.now() + timedelta(hours=1))
    elif state == "closed":
        alert_close(alert_id=alert.pk, reviewer=chief, resolution="coaching")
    return Alert.objects.get(pk=alert.pk)


@pytest.mark.parametrize("state", STATES)
def test_each_action_in_each_state_by_each_person(people: dict[str, Employee], state: str) -> None:
    key = in_state(state, people).pk
    for action, who in product(Action, PEOPLE):
        with transaction.atomic():
            act(Alert.objects.get(pk=key), action, state, people[who])
            transaction.set_rollback(True)


def act(alert: Alert, action: Action, state: str, person: Employee) -> None:
    case = (str(action), person.name)
    before, history = Alert.objects.filter(pk=alert.pk).values().get(), len(alert_history(alert))
    row = EXPECTED.get((action.value, person.name))
    expected = row.split()[STATES.index(state)] if row else "!permitted"

    wanted = REFUSED.get(expected, NotPermitted) if expected.startswith("!") else None
    refusal: ContactGuardError | None = None
    try:
        ACTIONS[action](alert, person)
    except ContactGuardError as error:
        refusal = error

    alert.refresh_from_db()
    assert isinstance(refusal, wanted) if wanted else refusal is None, case
    if expected == "-" or wanted:
        assert Alert.objects.filter(pk=alert.pk).values().get() == before, case
        assert len(alert_history(alert)) == history, case
        return
    assert alert.status == expected, case
    assert len(alert_history(alert)) == history + 1, case
    assert alert_history(alert)[-1].actor == str(person.pk), case
    assert (alert.claimed_at is not None) is (alert.claimed_by is not None), case
    held = expected == "claimed" or (expected, state) == ("closed", "claimed")
    assert (alert.claimed_by == person) is held, case
    closing = (alert.closed_by is not None, alert.closed_at is not None, bool(alert.resolution))
    assert closing == ((expected == "closed",) * 3), case
    assert alert.updated_at > before["updated_at"], case
    seal()
    assert [str(fault) for fault in verify().faults if str(fault).startswith("alert ")] == [], case


def test_the_table_names_no_state_or_action_that_the_matrix_leaves_out() -> None:
    assert {(action, str(state)) for action, state in TRANSITIONS} <= {
        (action, state) for action in ACTIONS for state in STATES
    }
    assert {action for action, _who in EXPECTED} == {action.value for action in Action}
