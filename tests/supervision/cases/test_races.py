"""Several people press the same button at the same moment: each step is taken once, and one act opens one case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from crm_contact_guard.exceptions import InvalidMessage, NotPossible
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.cases import deciding, opening, reminders, working
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.verification.whole_record import verify
from tests.supervision.cases.scene import RULES, Scene, alert, scene

pytestmark = pytest.mark.django_db(transaction=True)

#: The tests' SQLite is in memory and refuses a second connection instead of letting it wait.
THREADS = 1 if connection.vendor == "sqlite" else 8


@pytest.fixture
def people(settings: Any) -> Scene:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "WORK_RULES": RULES}
    return scene()


def at_once(*acts: Callable[[], object]) -> Counter[str]:
    def one(act: Callable[[], object]) -> str:
        try:
            act()
        except (NotPossible, InvalidMessage) as error:
            return type(error).__name__
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(pool.map(one, acts))


def test_a_decision_pressed_many_times_is_one_decision_and_one_letter(people: Scene) -> None:
    case = people.heard()
    deciding.outcome_propose(case_id=case.pk, actor=people.officer, outcome="written_apology", reason="Again.")

    found = at_once(*[lambda: deciding.outcome_decide(case_id=case.pk, actor=people.chief)] * 8)

    assert found == {"done": 1, "NotPossible": 7}
    assert case.letters.filter(kind="decision").count() == 1
    assert Event.objects.filter(kind="case.decide").count() == 1
    assert verify().holds


def test_alerts_closed_at_once_open_one_case(people: Scene) -> None:
    raised = [alert(people.talk, topic=topic) for topic in ("off_channel", "after_hours", "harassment")]

    at_once(*[lambda key=one.pk: opening.case_from_alert(alert_id=key, opened_by=people.chief) for one in raised * 2])

    assert Case.objects.get().evidence.count() == 3
    assert verify().holds


def test_two_cases_about_one_act_can_not_both_end_in_discipline(people: Scene) -> None:
    first = people.heard()
    other = alert(people.talk, topic="after_hours")
    other.findings.update(message=first.evidence.get().alert.at_message, detector="hours")  # type: ignore[union-attr]
    second = opening.case_from_alert(alert_id=other.pk, opened_by=people.second)
    working.case_tell(case_id=second.pk, actor=people.second, allegation="You wrote at night.")
    working.hearing_record(case_id=second.pk, actor=people.second, text="Yes.", occurred_at=timezone.now())
    for case, who in ((first, people.chief), (second, people.second)):
        deciding.outcome_propose(case_id=case.pk, actor=who, outcome="written_apology", reason="Again.")

    found = at_once(
        lambda: deciding.outcome_decide(case_id=first.pk, actor=people.chief),
        lambda: deciding.outcome_decide(case_id=second.pk, actor=people.second),
    )

    assert found == {"done": 1, "InvalidMessage": 1}
    assert Case.objects.filter(state="decided").count() == 1


def test_a_task_is_remembered_once_by_many_workers(people: Scene) -> None:
    case = people.conduct()
    working.task_add(case_id=case.pk, actor=people.chief, title="Ask", assignee=people.vice, due_at=timezone.now())

    at_once(*[reminders.remind_due] * 8)

    assert Event.objects.filter(kind="case_task.reminded").count() == 1
