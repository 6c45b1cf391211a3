"""What a rulebook says of a scan, and the digest that names it."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.test import override_settings

from crm_contact_guard.detection.types import By, Finding, Kind, Scan, Stance
from crm_contact_guard.policy import presets, rulebook
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.rulebook import Rulebook, evidence_of, from_settings, from_text


def scan(*kinds: Kind, stance: Stance = Stance.OFFER, attempt: bool = True, score: float = 0.9) -> Scan:
    findings = tuple(Finding(kind, 0, 3, score, "test", "1") for kind in kinds)
    return Scan(attempt=attempt, by=By.EMPLOYEE, stance=stance, score=score, findings=findings)


def book(**changes: object) -> Rulebook:
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **changes}):
        return from_settings()


def told(rules: Rulebook, found: Scan) -> list[tuple[str, str]]:
    applied = rules.apply(evidence_of(found), after_hours=False, quiet_hours=False)
    return [(one.rule, one.action.value) for one in applied]


def test_each_kind_of_a_message_is_judged_by_its_own_rule() -> None:
    rules = book(RULES={"attempt.side_deal": "block", "sensitive_data": "nudge"})

    found = scan(Kind.CONTACT_REQUEST, Kind.SIDE_DEAL, Kind.SENSITIVE_DATA)

    assert told(rules, found) == [("attempt", "nudge"), ("attempt.side_deal", "block"), ("sensitive_data", "nudge")]
    assert rulebook.strictest(rules.apply(evidence_of(found), after_hours=True, quiet_hours=True)) is Action.BLOCK


def test_kinds_of_an_attempt_are_no_evidence_in_a_refusal() -> None:
    refusal = scan(Kind.CONTACT_REQUEST, stance=Stance.REFUSE, attempt=False)

    assert evidence_of(refusal) == []


def test_an_unsure_insult_is_no_evidence() -> None:
    rules = book(INDUSTRY="hospitality")

    assert told(rules, scan(Kind.HARASSMENT, attempt=False, score=0.49)) == []
    assert told(rules, scan(Kind.HARASSMENT, attempt=False, score=0.5)) == [("harassment", rules.rules["harassment"])]


def test_a_company_without_a_rule_for_it_is_not_asked_about_it() -> None:
    assert told(book(), scan(Kind.HARASSMENT, Kind.SENSITIVE_DATA, attempt=False)) == []


@pytest.mark.parametrize("industry", presets.INDUSTRIES)
def test_a_rulebook_is_the_same_after_it_was_recorded(industry: str) -> None:
    rules = book(INDUSTRY=industry, THRESHOLDS={"alert": 0.61, "inbound": {"noticed": 0.2}})
    again = from_text(rules.text)

    assert again == rules
    assert (again.text, again.digest) == (rules.text, rules.digest)
    assert json.loads(rules.text)["industry"] == industry


def test_the_digest_names_the_content_alone() -> None:
    one = book(RULES={"attempt": "block", "after_hours": "nudge"})
    same = book(RULES={"after_hours": "nudge", "attempt": "block"})

    assert one.digest == same.digest
    assert len({one.digest, book().digest, book(SENSITIVITY="quiet").digest, book(INDUSTRY="sales").digest}) == 4
