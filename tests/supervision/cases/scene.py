"""People, and alerts about Aoi and about a customer of hers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.cases import deciding, opening, working
from crm_contact_guard.supervision.cases.models import Case, CaseTask
from crm_contact_guard.supervision.models import Alert
from tests import factories

RULES = [
    {
        "version": "2020-04",
        "valid_from": "2020-04-01",
        "outcomes": ["written_apology", "pay_cut", "suspension", "dismissal"],
    }
]
#: Lawful figures for one incident.
FIGURES: dict[str, Any] = {"wages": 900_000, "closing": "2026-08-31", "cuts": [4_891], "periods": [300_000]}


def alert(talk: Conversation, *, by: str = "employee", topic: str = "off_channel", text: str = "Shall we?") -> Alert:
    """A new alert. Each is about a message of its own."""
    said = factories.sent(talk, text, "chat") if by == "employee" else factories.received(text, talk)
    finding = NewFinding(
        message=said, kind="contact_request", start=0, end=len(text), score=0.9, detector="test", version="1"
    )
    verdict = Verdict(topic=topic, by=by, stance="ask", at=said, findings=[finding])
    raised = alert_raise(conversation=talk, verdict=verdict)
    assert raised is not None
    return raised


@dataclass
class Scene:
    """``aoi`` is concerned; ``chief`` and ``vice`` head her team; ``officer`` and ``second`` are in compliance."""

    people: dict[str, Employee]
    talk: Conversation

    def __getattr__(self, name: str) -> Employee:
        return self.people[name]

    def conduct(self) -> Case:
        """A conduct case of an alert that chief closed; vice approves, the officer is a member."""
        raised = alert(self.talk)
        case = opening.case_from_alert(alert_id=raised.pk, opened_by=self.chief)
        self.staff(case)
        return case

    def protection(self) -> Case:
        raised = alert(self.talk, by="customer", topic="harassment")
        case = opening.case_from_alert(alert_id=raised.pk, opened_by=self.chief)
        self.staff(case)
        return case

    def staff(self, case: Case) -> None:
        for person, part in (("vice", "approver"), ("officer", "member")):
            working.participant_add(case_id=case.pk, actor=self.chief, person=self.people[person], part=part)

    def heard(self) -> Case:
        """A conduct case after the hearing."""
        case = self.conduct()
        working.case_tell(case_id=case.pk, actor=self.chief, allegation="You gave your LINE to a customer.")
        working.hearing_record(case_id=case.pk, actor=self.officer, text="She regrets it.", occurred_at=timezone.now())
        return case

    def decided(self, outcome: str = "written_apology", terms: Any = None) -> Case:
        case = self.heard()
        deciding.outcome_propose(
            case_id=case.pk, actor=self.officer, outcome=outcome, reason="It was the second time.", terms=terms
        )
        deciding.outcome_approve(case_id=case.pk, actor=self.vice)
        deciding.outcome_decide(case_id=case.pk, actor=self.chief)
        case.refresh_from_db()
        return case


def scene() -> Scene:
    desk = factories.team("Front desk", head="chief", deputy="vice")
    factories.employee("aoi", branch=desk)
    for name in ("officer", "second"):
        factories.employee(name, job="compliance")
    factories.employee("auditor", job="auditor")
    factories.employee("ken", branch=desk)
    people = {person.name.lower(): person for person in Employee.objects.all()}
    return Scene(people, factories.conversation(people["aoi"]))


def _task(case: Case, actor: Employee) -> CaseTask:
    lead = case.participants.order_by("added_at", "pk").first()
    assert lead is not None
    due = timezone.now() + timedelta(days=3)
    return working.task_add(case_id=case.pk, actor=actor, title="Ask the guest", assignee=lead.employee, due_at=due)


def _task_done(case: Case, actor: Employee) -> None:
    task = case.tasks.first()
    missing = "00000000-0000-7000-8000-000000000000"
    working.task_done(case_id=case.pk, actor=actor, task_id=task.pk if task else missing)  # type: ignore[arg-type]


#: An honest call of each action in the table.
CALLS: dict[str, Callable[[Scene, Case, Employee], object]] = {
    "join": lambda s, case, who: opening.case_join(case_id=case.pk, actor=who, reason="The lead is ill"),
    "participant_add": lambda s, case, who: working.participant_add(
        case_id=case.pk, actor=who, person=s.second, part="member"
    ),
    "participant_remove": lambda s, case, who: working.participant_remove(case_id=case.pk, actor=who, person=s.officer),
    "evidence_add": lambda s, case, who: opening.evidence_add(case_id=case.pk, actor=who, conversation=s.talk),
    "note": lambda s, case, who: working.note_add(case_id=case.pk, actor=who, text="Asked the desk."),
    "interview": lambda s, case, who: working.interview_add(
        case_id=case.pk, actor=who, text="Ken saw nothing.", occurred_at=timezone.now()
    ),
    "task_add": lambda s, case, who: _task(case, who),
    "task_done": lambda s, case, who: _task_done(case, who),
    "investigate": lambda s, case, who: working.case_investigate(case_id=case.pk, actor=who),
    "tell": lambda s, case, who: working.case_tell(case_id=case.pk, actor=who, allegation="You gave your LINE."),
    "hear": lambda s, case, who: working.hearing_record(
        case_id=case.pk, actor=who, text="She regrets it.", occurred_at=timezone.now()
    ),
    "state": lambda s, case, who: working.statement_add(case_id=case.pk, actor=who, text="He asked me twice."),
    "propose": lambda s, case, who: deciding.outcome_propose(
        case_id=case.pk, actor=who, outcome="no_action", reason="It was allowed."
    ),
    "approve": lambda s, case, who: deciding.outcome_approve(case_id=case.pk, actor=who),
    "send_back": lambda s, case, who: deciding.outcome_send_back(case_id=case.pk, actor=who, reason="Ask Ken first"),
    "decide": lambda s, case, who: deciding.outcome_decide(case_id=case.pk, actor=who),
    "appeal": lambda s, case, who: deciding.appeal_make(case_id=case.pk, actor=who, text="It wasn't me."),
    "uphold": lambda s, case, who: deciding.appeal_answer(case_id=case.pk, actor=who, text="We looked again."),
    "revise": lambda s, case, who: deciding.appeal_answer(
        case_id=case.pk, actor=who, text="You are right.", outcome="no_action"
    ),
    "close": lambda s, case, who: deciding.case_close(case_id=case.pk, actor=who),
    "drop": lambda s, case, who: deciding.case_drop(case_id=case.pk, actor=who, reason="A mistake"),
}
