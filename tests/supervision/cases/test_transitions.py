"""Every action by every part in every state, against a table of its own; and random sequences of actions."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.cases import transitions
from crm_contact_guard.supervision.cases.models import Case, Sort, State
from crm_contact_guard.supervision.cases.outcomes import APPROVED, DISCIPLINE, PROTECTION
from crm_contact_guard.verification.whole_record import verify
from tests.supervision.cases.scene import CALLS, FIGURES, RULES, Scene, deciding, scene

pytestmark = pytest.mark.django_db

STATES = ("open", "investigating", "hearing", "proposed", "approved", "decided", "appealed", "closed")
WHO = {"lead": "chief", "member": "officer", "approver": "vice", "concerned": "aoi", "officer": "second"}
#: Action: who may, in which states of a conduct case (C) and of a protection case (P). Initials as in STATES and WHO;
#: proposed is "p", approved "v", decided "d", appealed "l", closed "c".
ORACLE = {
    "join": ("officer", "oihpvdl", "oihpvdl"),
    "participant_add": ("lead", "oihpvdl", "oihpvdl"),
    "participant_remove": ("lead", "oihpvdl", "oihpvdl"),
    "evidence_add": ("lead member", "oih", "oih"),
    "note": ("lead member approver", "oihpvdl", "oihpvdl"),
    "interview": ("lead member", "oih", "oih"),
    "task_add": ("lead member", "oihpvdl", "oihpvdl"),
    "task_done": ("lead member approver", "oihpvdl", "oihpvdl"),
    "investigate": ("lead member", "o", "o"),
    "tell": ("lead", "oih", ""),
    "hear": ("lead member", "h", ""),
    "state": ("concerned", "hpvdl", "oihpvdl"),
    "propose": ("lead member", "oih", "oih"),
    "approve": ("lead approver", "p", "p"),
    "send_back": ("lead approver", "pv", "pv"),
    "decide": ("lead", "pv", "pv"),
    "appeal": ("concerned", "d", ""),
    "uphold": ("lead approver", "l", ""),
    "revise": ("lead approver", "l", ""),
    "close": ("lead", "d", "d"),
    "drop": ("lead", "oih", "oih"),
}
LETTERS = dict(zip("oihpvdlc", STATES, strict=True))
AFTER = {
    "investigate": "investigating", "tell": "hearing", "propose": "proposed", "approve": "approved",
    "decide": "decided", "appeal": "appealed", "uphold": "decided", "revise": "decided", "close": "closed",
    "drop": "closed",
}  # fmt: skip


@pytest.fixture(autouse=True)
def rules(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "WORK_RULES": RULES}


def put(case: Case, state: str, people: Scene) -> None:
    """Put a case into a state with the columns that go with it, past the services."""
    now = timezone.now()
    proposed = state in ("proposed", "approved", "decided", "appealed", "closed")
    outcome = ("handover" if case.sort == "protection" else "coaching") if proposed else ""
    Case.objects.filter(pk=case.pk).update(
        state=state,
        outcome=outcome,
        told_at=now,
        heard_at=now if state not in ("open", "investigating") else None,
        proposed_by=people.officer if proposed else None,
        appeal_until=now.replace(year=now.year + 1) if state == "decided" else None,
    )


def test_the_tables_name_the_same_actions() -> None:
    assert set(transitions.ACTIONS) == set(ORACLE) == set(CALLS)


@pytest.mark.parametrize("sort", ["conduct", "protection"])
@pytest.mark.parametrize("action", ORACLE)
def test_each_action_by_each_part_in_each_state(action: str, sort: str) -> None:
    people = scene()
    parts, *states = ORACLE[action]
    possible = {LETTERS[letter] for letter in states[sort == "protection"]}
    case = people.conduct() if sort == "conduct" else people.protection()

    for state in STATES:
        for part, name in {**WHO, "nobody": "ken", "auditor": "auditor"}.items():
            with transaction.atomic():
                put(case, state, people)
                before = Event.objects.count()
                try:
                    CALLS[action](people, case, people.people[name])
                    outcome = "done"
                except NotPermitted:
                    outcome = "not permitted"
                except NotPossible:
                    outcome = "wrong state"
                except InvalidMessage:
                    outcome = "done"  # it was the time for it, but there is no such task
                case.refresh_from_db()
                if part not in parts.split():
                    assert outcome == "not permitted", (state, part)
                elif state not in possible:
                    assert outcome == "wrong state", (state, part)
                else:
                    assert outcome == "done", (state, part)
                    back = "hearing" if sort == "conduct" else "investigating"
                    assert case.state == {**AFTER, "send_back": back}.get(action, state)
                if outcome != "done":
                    assert case.state == state
                    assert Event.objects.count() == before
                transaction.set_rollback(True)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from([*ORACLE, "discipline", "pay_cut"]),
            st.sampled_from(["chief", "vice", "officer", "second", "aoi", "ken", "auditor"]),
        ),
        max_size=40,
    ),
    sort=st.sampled_from(["conduct", "protection"]),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_sequences_reach_no_illegal_state_and_verify(steps: list[tuple[str, str]], sort: str) -> None:
    with transaction.atomic():
        people = scene()
        case = people.conduct() if sort == "conduct" else people.protection()
        for action, name in steps:
            who, before = people.people[name], Event.objects.count()
            with suppress(NotPermitted, NotPossible, InvalidMessage), transaction.atomic():
                if action in ("discipline", "pay_cut"):
                    terms = FIGURES if action == "pay_cut" else None
                    kind = "pay_cut" if action == "pay_cut" else "suspension"
                    deciding.outcome_propose(case_id=case.pk, actor=who, outcome=kind, reason="Again.", terms=terms)
                else:
                    CALLS[action](people, case, who)
                case.refresh_from_db()
                legal(case, people)
                continue
            assert Event.objects.count() == before, "a refused step left something behind"
        report = verify()
        assert report.holds, report.faults
        transaction.set_rollback(True)


def legal(case: Case, people: Scene) -> None:
    """What must be true of any case."""
    if case.state in (State.PROPOSED, State.APPROVED, State.DECIDED, State.APPEALED, State.CLOSED):
        assert case.outcome
        assert case.reason
    if case.state == State.CLOSED:
        assert case.closed_at
    if case.outcome in DISCIPLINE:
        assert case.sort == Sort.CONDUCT
        assert case.heard_at
        assert case.rules == "2020-04"
    if case.outcome in APPROVED and case.state in (State.APPROVED, State.DECIDED, State.APPEALED, State.CLOSED):
        assert case.approved_by_id not in (None, case.proposed_by_id, case.concerned_id)
    if case.sort == Sort.PROTECTION:
        assert not case.outcome or case.outcome in PROTECTION
    assert not case.participants.filter(employee=people.aoi).exists()
    assert case.participants.filter(part="lead").exists()
