"""The decision before sending: every pair of rules by every circumstance, against what the rules say in words."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import override_settings

from crm_contact_guard.detection.types import Scan, Stance
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.policy.decision import Action, Override, OverrideCode, decide
from crm_contact_guard.policy.working_time import Answer, Employee, answer
from crm_contact_guard.policy.working_time.clock import Span

STRICTER = ["deliver", "nudge", "block"]


def scan(attempt: bool) -> Scan:
    return Scan(attempt=attempt, by=None, stance=Stance.NONE, score=0.9 if attempt else 0.1)


def moment(*, working: bool, emergency: bool) -> Answer:
    """Monday noon of somebody who works then, or only in the morning."""
    hours = Span(9 * 60, (18 if working else 11) * 60)
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    return answer(Employee(zone=ZoneInfo("UTC"), weekly=((hours,),) * 7), noon, emergency=emergency)


@pytest.mark.parametrize(("attempt_rule", "hours_rule"), list(product(STRICTER, STRICTER)))
def test_the_strictest_rule_that_applies_decides(attempt_rule: str, hours_rule: str) -> None:
    rules = {"attempt": attempt_rule, "after_hours": hours_rule}
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "RULES": rules}):
        for attempt, working, emergency in product([False, True], repeat=3):
            now = moment(working=working, emergency=emergency)
            decision = decide(scan=scan(attempt), moment=now, emergency=emergency)

            # An emergency is always open; what the text says is kept with it.
            reasons = (["attempt"] if attempt else []) + ([] if working or emergency else ["after_hours"])
            strictest = max([rules[reason] for reason in reasons], key=STRICTER.index, default="deliver")
            strictest = "deliver" if emergency else strictest
            assert (list(decision.reasons), decision.action) == (reasons, Action(strictest))


@pytest.mark.parametrize("code", OverrideCode)
@pytest.mark.parametrize("text", ["", " \n", "The guest asked for it"])
def test_only_an_emergency_and_a_mistake_need_no_words(code: OverrideCode, text: str) -> None:
    override = Override(code=code, text=text)

    if text.strip() or code in (OverrideCode.EMERGENCY, OverrideCode.MISTAKE):
        override.check()
        return
    with pytest.raises(InvalidMessage) as refused:
        override.check()
    assert refused.value.field == "override"
