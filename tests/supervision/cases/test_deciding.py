"""What labour law and fairness ask of an outcome, and what the employee is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.policy import presets
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.cases import acts, deciding, opening, pay_terms, working
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.supervision.cases.outcomes import words
from tests.clock import Clock
from tests.supervision.cases.scene import FIGURES, RULES, Scene, alert, scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(settings: Any) -> Scene:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "WORK_RULES": RULES}
    return scene()


def propose(people: Scene, case: Case, outcome: str, terms: Any = None) -> None:
    deciding.outcome_propose(case_id=case.pk, actor=people.officer, outcome=outcome, reason="Again.", terms=terms)


def test_discipline_needs_a_hearing_but_coaching_does_not(people: Scene) -> None:
    case = people.conduct()

    with pytest.raises(InvalidMessage, match="heard"):
        propose(people, case, "written_apology")
    propose(people, case, "coaching")


def test_telling_something_new_asks_for_another_hearing(people: Scene) -> None:
    case = people.heard()
    working.case_tell(case_id=case.pk, actor=people.chief, allegation="And a phone number.")

    with pytest.raises(InvalidMessage, match="heard"):
        propose(people, case, "written_apology")


def test_a_hearing_before_the_employee_was_told_is_none(people: Scene) -> None:
    case = people.conduct()
    working.case_tell(case_id=case.pk, actor=people.chief, allegation="You gave your LINE.")
    yesterday = timezone.now() - timedelta(days=1)

    with pytest.raises(InvalidMessage, match="before"):
        working.hearing_record(case_id=case.pk, actor=people.chief, text="Said so.", occurred_at=yesterday)


def test_a_kind_that_the_rules_lack_is_refused(people: Scene) -> None:
    with pytest.raises(InvalidMessage, match="Demotion"):
        propose(people, people.heard(), "demotion")


@pytest.mark.parametrize("known", [[], [{**RULES[0], "valid_from": "2026-11-25"}]])
def test_rules_made_later_do_not_apply_to_earlier_acts(people: Scene, settings: Any, known: list[Any]) -> None:
    """The messages are of 24 November 2026."""
    case = people.heard()
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "WORK_RULES": known}

    with pytest.raises(InvalidMessage, match="in force when it happened"):
        propose(people, case, "written_apology")
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "WORK_RULES": [*known, RULES[0]]}
    propose(people, case, "written_apology")
    case.refresh_from_db()
    assert case.rules == "2020-04"


def test_who_proposed_can_not_approve_and_a_plain_employee_neither(people: Scene) -> None:
    case = people.heard()
    working.participant_add(case_id=case.pk, actor=people.chief, person=people.ken, part="approver")
    deciding.outcome_propose(case_id=case.pk, actor=people.chief, outcome="suspension", reason="Three days.")

    for who in (people.chief, people.ken):
        with pytest.raises(NotPermitted):
            deciding.outcome_approve(case_id=case.pk, actor=who)
    with pytest.raises(NotPossible, match="second person"):
        deciding.outcome_decide(case_id=case.pk, actor=people.chief)
    deciding.outcome_approve(case_id=case.pk, actor=people.vice)
    assert deciding.outcome_decide(case_id=case.pk, actor=people.chief)


def test_below_a_pay_cut_nobody_needs_to_approve(people: Scene) -> None:
    case = people.heard()
    propose(people, case, "written_apology")

    assert deciding.outcome_decide(case_id=case.pk, actor=people.chief)


def test_the_concerned_never_takes_part(people: Scene) -> None:
    case = people.conduct()

    with pytest.raises(InvalidMessage):
        working.participant_add(case_id=case.pk, actor=people.chief, person=people.aoi, part="approver")
    with pytest.raises(InvalidMessage):
        working.participant_add(case_id=case.pk, actor=people.chief, person=people.auditor, part="member")


def test_one_act_is_never_punished_twice(people: Scene) -> None:
    """Not by another alert about the same message either."""
    first = people.decided()
    again = alert(people.talk, topic="after_hours")
    message = first.evidence.get().alert.at_message  # type: ignore[union-attr]
    again.findings.update(message=message, detector="hours")
    second = opening.case_from_alert(alert_id=again.pk, opened_by=people.chief)
    people.staff(second)
    assert second.pk != first.pk
    working.case_tell(case_id=second.pk, actor=people.chief, allegation="You wrote at night.")
    working.hearing_record(case_id=second.pk, actor=people.chief, text="Yes.", occurred_at=timezone.now())

    with pytest.raises(InvalidMessage, match="twice"):
        propose(people, second, "written_apology")
    propose(people, second, "coaching")


def test_an_alert_that_led_to_discipline_opens_no_other_case(people: Scene, clock: Clock) -> None:
    case = people.decided()
    clock.forward(timedelta(days=20))
    deciding.case_close(case_id=case.pk, actor=people.chief)
    known = case.evidence.get().alert_id
    assert known is not None

    with pytest.raises(InvalidMessage, match="twice"):
        opening.case_from_alert(alert_id=known, opened_by=people.chief)


def test_a_lawful_pay_cut_is_stored_with_its_plan(people: Scene) -> None:
    case = people.decided("pay_cut", FIGURES)

    kept = pay_terms.shown(case)
    assert (kept["average"], kept["per_incident"], kept["days"]) == (9_782, 4_891, 92)
    assert kept["instalments"] == [[4_891, 30_000]]
    assert "4891" in case.letters.get(kind="decision").text


@pytest.mark.parametrize(
    ("field", "figures"),
    [
        ("cuts", {"cuts": [4_892]}),
        ("cuts", {"cuts": [1, 1]}),
        ("cuts", {"cuts": "a lot"}),
        ("cuts", {"cuts": []}),
        ("periods", {"periods": []}),
        ("periods", {"periods": [0]}),
        ("wages", {"wages": -1}),
        ("wages", {"wages": 10**12}),
        ("closing", {"closing": "soon"}),
        ("days_worked", {"days_worked": 0}),
        ("already", {"already": [-1]}),
        ("terms", {"percent": 10}),
    ],
)
def test_an_unlawful_or_senseless_pay_cut_is_refused(people: Scene, field: str, figures: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage) as refused:
        propose(people, people.heard(), "pay_cut", {**FIGURES, **figures})

    assert refused.value.field == field


def test_two_alerts_about_one_message_are_one_incident(people: Scene) -> None:
    case = people.heard()
    other = alert(people.talk, topic="after_hours")
    opening.evidence_add(case_id=case.pk, actor=people.chief, alert=other, conversation=people.talk)
    assert len(acts.incidents(case)) == 2

    first = case.evidence.exclude(alert=other).get().alert
    assert first is not None
    other.findings.update(message=first.at_message, detector="hours")

    assert len(acts.incidents(case)) == 1


def test_the_employee_objects_and_somebody_else_answers(people: Scene) -> None:
    case = people.decided("suspension")
    with pytest.raises(NotPossible, match="can still object"):
        deciding.case_close(case_id=case.pk, actor=people.chief)
    deciding.appeal_make(case_id=case.pk, actor=people.aoi, text="The guest asked for it.")
    for who in (people.officer, people.vice):  # who proposed, who approved
        with pytest.raises(NotPermitted):
            deciding.appeal_answer(case_id=case.pk, actor=who, text="No.")
    with pytest.raises(InvalidMessage, match="milder"):
        deciding.appeal_answer(case_id=case.pk, actor=people.chief, text="Worse.", outcome="dismissal")

    letter = deciding.appeal_answer(case_id=case.pk, actor=people.chief, text="You are right.", outcome="coaching")

    case.refresh_from_db()
    assert (case.state, case.outcome) == ("decided", "coaching")
    assert "You are right." in letter.text
    with pytest.raises(NotPossible):
        deciding.appeal_make(case_id=case.pk, actor=people.aoi, text="Again.")
    deciding.case_close(case_id=case.pk, actor=people.chief)


def test_the_time_to_object_ends(people: Scene, clock: Clock) -> None:
    case = people.decided()
    clock.forward(timedelta(days=14, minutes=1))

    with pytest.raises(NotPossible, match="over"):
        deciding.appeal_make(case_id=case.pk, actor=people.aoi, text="Too late.")


def test_a_protection_case_never_turns_against_the_employee(people: Scene) -> None:
    case = people.protection()
    people.aoi.language = "en"
    people.aoi.save()

    for outcome in ("coaching", "written_apology", "dismissal"):
        with pytest.raises(InvalidMessage):
            propose(people, case, outcome)
    propose(people, case, "contact_restricted")
    letter = deciding.outcome_decide(case_id=case.pk, actor=people.chief)
    assert letter is not None
    assert letter.kind == "protection"
    assert "counts against you" in letter.text


def test_a_conduct_case_takes_no_step_against_the_customer(people: Scene) -> None:
    with pytest.raises(InvalidMessage):
        propose(people, people.heard(), "police_referral")


def test_letters_are_in_the_employees_language_and_say_how_to_object(people: Scene) -> None:
    people.aoi.language = "ja"
    people.aoi.save()

    case = people.decided()

    letter = case.letters.get(kind="decision")
    assert letter.language == "ja"
    assert "異議を申し立てる" in letter.text
    assert "{" not in letter.text
    assert Event.objects.filter(kind="case_letter.issued", subject_id=str(letter.pk), data__contains=letter.sha256)


def test_the_company_uses_its_own_words_and_leaves_out_what_it_never_does(people: Scene, settings: Any) -> None:
    settings.CONTACT_GUARD = {
        **settings.CONTACT_GUARD,
        "OUTCOMES": {"written_apology": {"en": "Statement of apology"}, "dismissal": False},
    }

    assert words("written_apology") == "Statement of apology"
    with pytest.raises(InvalidMessage):
        propose(people, people.heard(), "dismissal")


def test_an_outcome_is_called_what_the_industry_calls_it_unless_the_company_says_otherwise(settings: Any) -> None:
    settings.CONTACT_GUARD = settings.CONTACT_GUARD | {"INDUSTRY": "finance", "OUTCOMES": {"pay_cut": {"ja": "減俸"}}}
    ladder = {step.kind: step.label for step in presets.preset("finance").outcomes}

    with translation.override("ja"):
        assert words("written_apology") == ladder["written_apology"]["ja"] == "譴責（始末書）"
        assert words("pay_cut") == "減俸"
    with translation.override("en"):
        assert words("pay_cut") == ladder["pay_cut"]["en"]


def test_submitting_twice_writes_once(people: Scene) -> None:
    case = people.heard()

    for _ in range(2):
        working.statement_add(case_id=case.pk, actor=people.aoi, text="He asked me twice.")

    assert case.entries.filter(kind="statement").count() == 1


@pytest.mark.parametrize("text", ["", "  \n", "x" * 20_001])
def test_texts_are_bounded(people: Scene, text: str) -> None:
    with pytest.raises(InvalidMessage):
        working.note_add(case_id=people.conduct().pk, actor=people.chief, text=text)
