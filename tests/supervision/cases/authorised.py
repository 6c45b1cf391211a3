"""Who may call each service on cases: rows for ``tests/authorising/services.py``.

Chief leads all cases, vice is the approver, the compliance officer a member of all but one. Aoi is concerned.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.supervision.cases import deciding, opening, working
from crm_contact_guard.supervision.cases.models import Case

LEAD, WORKING, TEAM = {"chief"}, {"chief", "compliance"}, {"chief", "compliance", "vice"}
#: Steps that each take their own case, in the state that the step needs.
STATES = {
    "early": "open",
    "hearing": "hearing",
    "proposed": "proposed",
    "approved": "approved",
    "decided": "decided",
    "over": "decided",
    "appealed": "appealed",
    "strange": "open",
}


def cases(people: dict[str, Employee]) -> dict[str, Case]:
    """One case for each state."""
    now = timezone.now()
    made = {}
    for name, state in STATES.items():
        case = opening.case_open(actor=people["chief"], sort="conduct", concerned=people["aoi"])
        for person, part in (("vice", "approver"), ("compliance", "member")):
            if name == "strange" and person == "compliance":
                continue
            working.participant_add(case_id=case.pk, actor=people["chief"], person=people[person], part=part)
        working.task_add(
            case_id=case.pk, actor=people["chief"], title="Ask", assignee=people["vice"], due_at=now + timedelta(days=1)
        )
        Case.objects.filter(pk=case.pk).update(
            state=state,
            told_at=None if state == "open" else now,
            outcome="coaching" if state not in ("open", "hearing") else "",
            proposed_by=people["compliance"],
            appeal_until=now + timedelta(days=9) if name == "decided" else None,
        )
        made[name] = case
    return made


Act = Callable[[Any, Employee], object]


def _case(service: Callable[..., object], name: str, **given: Any) -> Act:
    """A call of a service with the case of this name. Values that are functions are given the scene."""

    def act(scene: Any, who: Employee) -> object:
        values = {key: value(scene) if callable(value) else value for key, value in given.items()}
        return service(case_id=scene.cases[name].pk, actor=who, **values)

    return act


def _now(_scene: Any) -> Any:
    return timezone.now()


def _ken(scene: Any) -> Employee:
    return scene.people["ken"]  # type: ignore[no-any-return]


def _vice(scene: Any) -> Employee:
    return scene.people["vice"]  # type: ignore[no-any-return]


ROWS: dict[str, tuple[Act, set[str]]] = {
    "opening.case_open": (
        lambda s, who: opening.case_open(actor=who, sort="conduct", concerned=s.people["aoi"]),
        {"chief", "vice", "compliance"},
    ),
    "opening.case_from_alert": (
        lambda s, who: opening.case_from_alert(alert_id=s.alert.pk, opened_by=who),
        {"chief", "vice", "compliance"},
    ),
    "opening.case_join": (_case(opening.case_join, "strange", reason="To help"), {"compliance"}),
    "opening.evidence_add": (_case(opening.evidence_add, "early", conversation=lambda s: s.talk), WORKING),
    "working.participant_add": (_case(working.participant_add, "early", person=_ken, part="member"), LEAD),
    "working.participant_remove": (_case(working.participant_remove, "early", person=_vice), LEAD),
    "working.note_add": (_case(working.note_add, "early", text="Asked the desk"), TEAM),
    "working.interview_add": (_case(working.interview_add, "early", text="Saw it", occurred_at=_now), WORKING),
    "working.task_add": (
        _case(working.task_add, "early", title="Write", assignee=_vice, due_at=_now),
        WORKING,
    ),
    "working.task_done": (_case(working.task_done, "early", task_id=lambda s: s.cases["early"].tasks.get().pk), TEAM),
    "working.case_investigate": (_case(working.case_investigate, "early"), WORKING),
    "working.case_tell": (_case(working.case_tell, "early", allegation="A number"), LEAD),
    "working.hearing_record": (_case(working.hearing_record, "hearing", text="Said so", occurred_at=_now), WORKING),
    "working.statement_add": (_case(working.statement_add, "hearing", text="He asked"), {"aoi"}),
    "deciding.outcome_propose": (
        _case(deciding.outcome_propose, "hearing", outcome="coaching", reason="New here"),
        WORKING,
    ),
    "deciding.outcome_approve": (_case(deciding.outcome_approve, "proposed"), {"chief", "vice"}),
    "deciding.outcome_send_back": (_case(deciding.outcome_send_back, "proposed", reason="Ask"), {"chief", "vice"}),
    "deciding.outcome_decide": (_case(deciding.outcome_decide, "approved"), LEAD),
    "deciding.appeal_make": (_case(deciding.appeal_make, "decided", text="Not me"), {"aoi"}),
    "deciding.appeal_answer": (_case(deciding.appeal_answer, "appealed", text="Again"), {"chief", "vice"}),
    "deciding.case_close": (_case(deciding.case_close, "over"), LEAD),
    "deciding.case_drop": (_case(deciding.case_drop, "early", reason="A mistake"), LEAD),
}
#: Parts of these services, which have asked.
WITHIN = {
    f"supervision.cases.{name}"
    for name in ("steps.take", "steps.move", "steps.record", "opening.participate", "working.write")
}
