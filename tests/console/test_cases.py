"""The pages of cases: who sees what, the whole way of a case by forms, and what is never shown to the employee."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.cases import opening, working
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.verification.whole_record import verify
from tests.console.conftest import ASK, Hotel, says
from tests.supervision.cases import scene
from tests.supervision.cases.scene import RULES


@pytest.fixture
def case(hotel: Hotel, settings: Any) -> Case:
    """Chief leads it, vice approves, and it is about Aoi."""
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "WORK_RULES": RULES}
    says(hotel.talk, "Good evening")
    raised = scene.alert(hotel.talk, text="Your room is ready.")
    hotel.post("chief", "alert_close", raised.pk, data={"resolution": "case_opened"})
    made = Case.objects.get()
    working.participant_add(case_id=made.pk, actor=hotel.people["chief"], person=hotel.people["vice"], part="approver")
    return made


def step(hotel: Hotel, who: str, case: Case, name: str, **form: str) -> int:
    return hotel.post(who, "case_step", case.pk, name, data=form).status_code


def now() -> str:
    """The time in Tokyo, where chief is."""
    return timezone.localtime(timezone.now(), ZoneInfo("Asia/Tokyo")).strftime("%Y-%m-%dT%H:%M:%S")


def shown(hotel: Hotel, who: str, case: Case) -> str:
    response = hotel.get(who, "case", case.pk)
    assert response.status_code == 200
    return response.content.decode()


def tell(hotel: Hotel, case: Case) -> None:
    assert step(hotel, "chief", case, "tell", allegation="You asked a guest for LINE.") == 302


def test_a_case_from_the_alert_to_its_end_by_forms(hotel: Hotel, case: Case) -> None:
    assert "<mark" in shown(hotel, "chief", case)
    assert step(hotel, "chief", case, "investigate") == 302
    assert step(hotel, "chief", case, "note", text="Ask the desk first") == 302
    tell(hotel, case)
    assert step(hotel, "aoi", case, "state", text="The guest asked me") == 302
    assert step(hotel, "chief", case, "hear", occurred_at=now(), text="She regrets it") == 302
    figures = {"wages": "900,000", "closing": "2026-08-31", "cuts": "4891", "periods": "300000"}
    assert step(hotel, "chief", case, "propose", outcome="pay_cut", reason="Second time", **figures) == 302
    assert step(hotel, "chief", case, "approve") == 403
    assert step(hotel, "vice", case, "approve") == 302
    assert step(hotel, "chief", case, "decide") == 302
    page = shown(hotel, "aoi", case)
    assert "Pay cut" in page
    assert "4891" in page
    assert step(hotel, "aoi", case, "appeal", text="Too hard") == 302
    assert step(hotel, "vice", case, "answer", outcome="", text="No") == 403
    case.refresh_from_db()
    assert case.state == "appealed"
    officer = hotel.people["compliance"]
    opening.case_join(case_id=case.pk, actor=officer, reason="To answer")
    working.participant_remove(case_id=case.pk, actor=hotel.people["chief"], person=officer)
    working.participant_add(case_id=case.pk, actor=hotel.people["chief"], person=officer, part="approver")
    assert step(hotel, "compliance", case, "answer", outcome="written_apology", text="Milder") == 302
    assert step(hotel, "chief", case, "close") == 302
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("closed", "written_apology")
    assert verify().holds


def test_the_employee_sees_no_notes_no_proposal_and_nothing_before_being_told(hotel: Hotel, case: Case) -> None:
    assert hotel.get("aoi", "case", case.pk).status_code == 404
    assert "Your case" not in hotel.get("aoi", "cases").content.decode()
    step(hotel, "chief", case, "note", text="Secret thought")
    step(hotel, "chief", case, "interview", occurred_at=now(), text="Ken saw it")
    tell(hotel, case)
    step(hotel, "chief", case, "hear", occurred_at=now(), text="She regrets it")
    step(hotel, "chief", case, "propose", outcome="suspension", reason="Three days off")

    page = shown(hotel, "aoi", case)

    for hidden in ("Secret thought", "Ken saw it", "Suspension", "Three days off", "Outcome proposed"):
        assert hidden not in page
    for told in ("You asked a guest for LINE.", "She regrets it", "<mark", "Hearing"):
        assert told in page
    assert "Your case" in hotel.get("aoi", "cases").content.decode()
    letter = case.letters.get()
    assert hotel.get("aoi", "case_letter", case.pk, letter.pk).status_code == 200


def test_every_view_is_recorded(hotel: Hotel, case: Case) -> None:
    tell(hotel, case)
    for who in ("chief", "aoi"):
        shown(hotel, who, case)
    hotel.get("aoi", "case_letter", case.pk, case.letters.get().pk)

    views = Event.objects.filter(kind="view.case", subject_id=str(case.pk))
    assert [one.actor for one in views.order_by("recorded_at")] == [
        str(hotel.people[who].pk) for who in ("chief", "aoi", "aoi")
    ]
    about = Event.objects.filter(kind="view.content", actor=str(hotel.people["chief"].pk), data__contains=str(case.pk))
    assert about.count() == 1


def test_officers_know_that_a_case_exists_and_join_with_a_reason(hotel: Hotel, case: Case) -> None:
    listed = hotel.get("compliance", "cases").content.decode()
    assert "Cases of others" in listed
    assert "Aoi" not in re.sub(r"<header.*?</header>", "", listed, flags=re.DOTALL)
    assert hotel.get("compliance", "case", case.pk).status_code == 404
    assert step(hotel, "compliance", case, "join", reason="") == 403
    assert step(hotel, "compliance", case, "join", reason="Chief is away") == 302
    assert "Chief is away" in shown(hotel, "chief", case)


def test_what_was_typed_is_kept_when_a_step_is_refused(hotel: Hotel, case: Case) -> None:
    tell(hotel, case)
    response = hotel.post(
        "chief", "case_step", case.pk, "propose", data={"outcome": "suspension", "reason": "<b>Typed</b> at length"}
    )

    assert response.status_code == 422
    page = response.content.decode()
    assert "&lt;b&gt;Typed&lt;/b&gt; at length" in page
    assert "must be heard first" in page


def test_a_step_at_the_wrong_time_is_told(hotel: Hotel, case: Case) -> None:
    tell(hotel, case)
    assert step(hotel, "chief", case, "investigate") == 409
    assert step(hotel, "chief", case, "nonsense") == 404


def test_tasks_show_their_date_and_can_be_done(hotel: Hotel, case: Case) -> None:
    chief = hotel.people["chief"]
    due = timezone.now() - timedelta(hours=1)
    working.task_add(case_id=case.pk, actor=chief, title="Ask the guest", assignee=chief, due_at=due)
    assert "overdue" in shown(hotel, "chief", case)

    assert step(hotel, "chief", case, "task_done", task=str(case.tasks.get().pk)) == 302

    assert "overdue" not in shown(hotel, "chief", case)


def test_a_protection_case_is_the_employees_own(hotel: Hotel) -> None:
    raised = scene.alert(hotel.talk, by="customer", topic="harassment", text=ASK)
    hotel.post("chief", "alert_close", raised.pk, data={"resolution": "case_opened"})
    made = Case.objects.get()

    assert "Nothing in it counts against you" in shown(hotel, "aoi", made)
    assert step(hotel, "aoi", made, "state", text="Thank you") == 302
    assert Alert.objects.get(pk=raised.pk).resolution == "case_opened"
