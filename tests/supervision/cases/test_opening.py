"""Which alerts become which case, who has access, and what holds the evidence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.notices import topics
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision.cases import deciding, opening, reminders, working
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.supervision.cases.rights import cases, joinable
from crm_contact_guard.supervision.review import alert_close
from crm_contact_guard.verification.whole_record import verify
from tests.supervision.cases.scene import Scene, alert, scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Scene:
    return scene()


def test_closing_an_alert_opens_a_case_and_the_next_alert_joins_it(people: Scene) -> None:
    first, second = alert(people.talk), alert(people.talk, topic="after_hours")

    for one in (first, second, first):
        alert_close(alert_id=one.pk, reviewer=people.chief, resolution="case_opened")

    case = Case.objects.get()
    assert (case.sort, case.concerned, case.opened_by) == ("conduct", people.aoi, people.chief)
    assert set(case.evidence.values_list("alert", flat=True)) == {first.pk, second.pk}


def test_alerts_about_the_customer_open_a_protection_case_of_that_customer(people: Scene) -> None:
    theirs, hers = alert(people.talk, by="customer", topic="harassment"), alert(people.talk)

    for one in (theirs, hers):
        alert_close(alert_id=one.pk, reviewer=people.chief, resolution="case_opened")

    protection = Case.objects.get(sort="protection")
    assert (protection.customer, protection.concerned) == (people.talk.customer, people.aoi)
    assert Case.objects.get(sort="conduct").customer is None


def test_a_case_in_which_the_reviewer_has_no_part_is_not_joined(people: Scene) -> None:
    people.conduct()
    other = alert(people.talk, topic="after_hours")

    opened = opening.case_from_alert(alert_id=other.pk, opened_by=people.second)

    assert Case.objects.count() == 2
    assert [one.employee for one in opened.participants.all()] == [people.second]


def test_only_participants_see_a_case_and_the_employee_once_told(people: Scene) -> None:
    case = people.conduct()

    def seen() -> set[str]:
        return {name for name, person in people.people.items() if cases(person).exists()}

    assert seen() == {"chief", "vice", "officer"}
    assert {name for name, person in people.people.items() if joinable(person).exists()} == {"second"}
    working.case_tell(case_id=case.pk, actor=people.chief, allegation="You gave your LINE.")
    assert seen() == {"chief", "vice", "officer", "aoi"}
    told = Notice.objects.get(topic="case_letter", way="in_app")
    assert told.employee == people.aoi
    assert str(case.pk) in topics.lines("case_letter", people.aoi, [told.subject_id])[told.subject_id].path
    assert not topics.lines("case_letter", people.chief, [told.subject_id])


def test_an_officer_joins_with_a_reason_and_leads_if_nobody_else_can(people: Scene) -> None:
    case = people.conduct()
    with pytest.raises(InvalidMessage):
        opening.case_join(case_id=case.pk, actor=people.second, reason=" ")
    people.chief.active = False
    people.chief.save()

    opening.case_join(case_id=case.pk, actor=people.second, reason="Chief has left")

    assert case.participants.get(employee=people.second).part == "lead"
    assert Event.objects.get(kind="case.join").reason == "Chief has left"


def test_nobody_opens_a_case_about_themselves(people: Scene) -> None:
    for who in (people.aoi, people.ken, people.auditor):
        with pytest.raises(NotPermitted):
            opening.case_open(actor=who, sort="conduct", concerned=people.aoi)
    with pytest.raises(NotPermitted):
        opening.case_open(actor=people.officer, sort="conduct", concerned=people.officer)
    assert opening.case_open(actor=people.officer, sort="conduct", concerned=people.aoi)
    with pytest.raises(InvalidMessage):
        opening.case_open(actor=people.officer, sort="conduct")


def test_a_case_takes_only_alerts_of_its_side_and_its_employee(people: Scene) -> None:
    case = people.conduct()
    theirs = alert(people.talk, by="customer", topic="harassment")

    with pytest.raises(InvalidMessage, match="conduct case takes"):
        opening.evidence_add(case_id=case.pk, actor=people.chief, alert=theirs, conversation=people.talk)


def test_messages_of_a_running_case_are_not_erased(people: Scene) -> None:
    case = people.conduct()

    assert erase_messages(Message.objects.all(), basis="retention") == 0
    deciding.case_drop(case_id=case.pk, actor=people.chief, reason="It was a misunderstanding.")
    assert erase_messages(Message.objects.all(), basis="retention") == 1
    assert verify().holds


def test_somebody_always_leads(people: Scene) -> None:
    case = people.conduct()

    with pytest.raises(InvalidMessage, match="lead"):
        working.participant_remove(case_id=case.pk, actor=people.chief, person=people.chief)
    working.participant_remove(case_id=case.pk, actor=people.chief, person=people.officer)
    assert not cases(people.officer).exists()
    assert verify().holds


def test_a_task_that_is_due_is_remembered_once(people: Scene) -> None:
    case = people.conduct()
    now = timezone.now()
    for title, due in (("Ask the guest", now - timedelta(hours=1)), ("Write the report", now + timedelta(days=1))):
        working.task_add(case_id=case.pk, actor=people.chief, title=title, assignee=people.officer, due_at=due)

    assert reminders.remind_due() == 1
    assert reminders.remind_due() == 0
    assert Event.objects.filter(kind="case_task.reminded").count() == 1
    told = Notice.objects.get(topic="case_task", way="in_app")
    assert told.employee == people.officer
    assert "due" in str(topics.lines("case_task", people.officer, [told.subject_id]))
    assert not topics.lines("case_task", people.vice, [told.subject_id])
    assert verify().holds
