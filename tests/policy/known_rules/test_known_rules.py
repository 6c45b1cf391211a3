"""Rules are published once, signed by everybody, asked about, and reminded of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone, translation

from crm_contact_guard import gateway, tasks
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.notices import outbox
from crm_contact_guard.policy.known_rules import quiz, showing
from crm_contact_guard.policy.known_rules.models import Acknowledgement, RulesVersion
from crm_contact_guard.policy.known_rules.publishing import applying, mine, rules_publish
from crm_contact_guard.policy.known_rules.questions import question_answer, question_ask, questions
from crm_contact_guard.policy.known_rules.signing import quiz_try, rules_sign
from crm_contact_guard.record.models import Event
from crm_contact_guard.verification.whole_record import verify
from tests import factories, rules_text
from tests.clock import Clock

pytestmark = pytest.mark.django_db

QUIZ = "May I give a guest my own number?\n- Yes\n* No\n\nWho answers at night?\n* Nobody has to\n- I do"


@pytest.fixture
def officer() -> Employee:
    return factories.employee("officer", job="compliance")


def test_a_published_version_is_recorded_whole(officer: Employee) -> None:
    version = rules_text.publish(officer)

    (event,) = Event.objects.filter(kind="rules.published")
    assert "This protects both sides." in str(event.details)
    assert "This protects" not in event.data
    assert version.digest == rules_text.DIGEST
    assert version.digest in event.data
    assert not verify().faults


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": "", "text": ""}, "text"),
        ({"title": "Rules", "text": ""}, "text"),
        ({"title": "R" * 201, "text": "Be kind."}, "title"),
        ({"title": "Rules", "text": "x" * 50_001}, "text"),
        ({"title": "Rules", "text": "Be kind.", "valid_from": timezone.now() - timedelta(days=2)}, "valid_from"),
        ({"title": "Rules", "text": "Be kind.", "quiz": "Yes?\n* Yes"}, "quiz"),
    ],
)
def test_bad_input_is_named_and_publishes_nothing(officer: Employee, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        rules_publish(published_by=officer, **given)

    assert refused.value.field == field
    assert not RulesVersion.objects.exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- Yes", "Line 1: an answer without a question."),
        ("One?\n* Yes\n- No\nTwo?\n- Yes\n- No", "Line 4: mark one answer with *."),
        ("One?\n* Yes\n* No", "Line 1: mark one answer with *."),
        ("One?\n* Yes", "Line 1: give two to eight answers."),
        ("One?\n* Yes\n-", "Line 1: give two to eight answers."),
        ("Q?\n* Yes\n- No\n" * 21, "Line 61: too many questions."),
    ],
)
def test_a_faulty_quiz_is_named_by_its_line(text: str, problem: str) -> None:
    with pytest.raises(InvalidMessage, match=problem.replace("*", r"\*")):
        quiz.parse(text)


def test_signing_is_recorded_once_with_the_versions_digest(officer: Employee) -> None:
    clerk, version = factories.employee("aoi"), rules_text.publish(officer)

    first = rules_sign(signed_by=clerk, version=version, digest=version.digest)
    again = rules_sign(signed_by=clerk, version=version, digest=version.digest)

    assert first.signed_at == again.signed_at is not None
    (event,) = Event.objects.filter(kind="rules.signed")
    assert (event.actor, version.digest in event.data) == (str(clerk.pk), True)
    assert not mine(clerk).unsigned
    assert not verify().faults


def test_nobody_signs_a_text_that_was_not_shown(officer: Employee) -> None:
    clerk, version = factories.employee("aoi"), rules_text.publish(officer)

    with pytest.raises(InvalidMessage):
        rules_sign(signed_by=clerk, version=version, digest="0" * 64)
    assert mine(clerk).unsigned


def test_the_quiz_comes_before_the_signature_and_can_be_repeated(officer: Employee) -> None:
    clerk, version = factories.employee("aoi"), rules_text.publish(officer, quiz=QUIZ)

    with pytest.raises(InvalidMessage):
        rules_sign(signed_by=clerk, version=version, digest=version.digest)
    assert not quiz_try(taken_by=clerk, version=version, chosen={})
    assert not quiz_try(taken_by=clerk, version=version, chosen={0: 1, 1: 1})
    assert quiz_try(taken_by=clerk, version=version, chosen={0: 1, 1: 0})
    rules_sign(signed_by=clerk, version=version, digest=version.digest)

    row = Acknowledgement.objects.get()
    assert (row.quiz_tries, row.signed_at is not None) == (3, True)
    assert not verify().faults


def test_a_new_version_is_signed_anew_once_it_applies(officer: Employee, clock: Clock) -> None:
    clerk, first = factories.employee("aoi"), rules_text.publish(officer)
    rules_sign(signed_by=clerk, version=first, digest=first.digest)
    second = rules_text.publish(officer, valid_from=clock.now + timedelta(days=7))

    assert applying("", clock.now).get() == first
    assert not mine(clerk).unsigned
    clock.forward(timedelta(days=8))
    assert mine(clerk).version == second
    assert mine(clerk).unsigned


def test_each_reader_sees_a_language_that_exists(officer: Employee) -> None:
    version = rules_text.publish(officer, title_ja="", text_ja="")
    with translation.override("ja"):
        assert showing.title_of(version) == "Talking to guests"
    both = rules_text.publish(officer)
    with translation.override("ja"):
        assert showing.text_of(both) == rules_text.TEXTS["text_ja"]


def test_the_unsigned_may_write_unless_the_company_says_otherwise(officer: Employee, settings: Any) -> None:
    clerk, version = factories.employee("aoi"), rules_text.publish(officer)
    talk = factories.conversation(clerk)
    at = factories.office_time()
    assert gateway.send(actor=clerk, conversation=talk, text="Welcome", occurred_at=at).message

    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "UNSIGNED_MAY_WRITE": False}
    with pytest.raises(NotPermitted, match="http://testserver/guard/rules/"):
        gateway.send(actor=clerk, conversation=talk, text="Welcome", occurred_at=at)
    assert gateway.send(actor=clerk, conversation=talk, text="Fire!", occurred_at=at, emergency=True).message
    rules_sign(signed_by=clerk, version=version, digest=version.digest)
    assert gateway.send(actor=clerk, conversation=talk, text="Welcome", occurred_at=at).message


def test_questions_are_found_by_all_with_their_answers_only(officer: Employee) -> None:
    clerk, colleague = factories.employee("aoi"), factories.employee("ken")
    question = question_ask(asked_by=clerk, text="May a guest have my LINE?")
    assert not questions(colleague).exists()
    assert questions(clerk).get() == question

    question_answer(answered_by=officer, question=question, text="No, offer the company's account.")
    assert questions(colleague, "account").get().answer == "No, offer the company's account."
    assert not questions(colleague, "breakfast").exists()
    assert not verify().faults


def reminded() -> int:
    """Remind, and send what is due. Return how many were reminded."""
    count = tasks.remind_of_rules()
    for notice in outbox.due():
        outbox.notice_send(notice)
    return count


def test_reminders_come_in_working_hours_until_the_signature(officer: Employee, clock: Clock, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "NOTIFY": {"quiet": True}}
    clerk = factories.employee("aoi", zone="Asia/Tokyo", language="en")
    Employee.objects.exclude(pk=clerk.pk).update(active=False)
    version = rules_text.publish(officer)
    clock.forward(timedelta(hours=12))  # 22:00
    assert reminded() == 1
    assert mail.outbox == []
    clock.forward(timedelta(hours=12))
    assert reminded() == 0
    assert [(sent.to, sent.subject) for sent in mail.outbox] == [
        (["aoi@kaede.example"], "[Hotel Kaede] Please read and sign: Talking to guests")
    ]
    assert "http://testserver/guard/rules/" in str(mail.outbox[0].body)

    clock.forward(timedelta(days=6))
    assert reminded() == 1
    rules_sign(signed_by=clerk, version=version, digest=version.digest)
    clock.forward(timedelta(days=7))
    assert reminded() == 0
    assert len({sent.extra_headers["Message-ID"] for sent in mail.outbox}) == 2
    assert not [fault for fault in verify().faults if "acknowledgement" in fault.where]


def test_nobody_is_reminded_of_an_earlier_version_or_forever(officer: Employee, clock: Clock) -> None:
    clerk = factories.employee("aoi", zone="Asia/Tokyo", language="en")
    Employee.objects.exclude(pk=clerk.pk).update(active=False)
    rules_text.publish(officer)
    assert reminded() == 1
    rules_text.publish(officer, title="New rules")
    for _day in range(150):
        clock.forward(timedelta(days=1))
        reminded()

    assert [sent.subject for sent in mail.outbox[1:]] == ["[Hotel Kaede] Please read and sign: New rules"] * 8
    assert not [fault for fault in verify().faults if "acknowledgement" in fault.where]


def test_a_supervisor_sees_the_team_and_compliance_everybody(officer: Employee) -> None:
    branch, other = factories.team(head="sora"), factories.team("Spa", head="yuki")
    clerk = factories.employee("aoi", branch=branch)
    factories.employee("riku", branch=other)
    version = rules_text.publish(officer, quiz=QUIZ)
    quiz_try(taken_by=clerk, version=version, chosen={0: 1, 1: 0})
    rules_sign(signed_by=clerk, version=version, digest=version.digest)
    chief = Employee.objects.get(email="sora@kaede.example")

    (seen,) = showing.signatures(chief)[1]
    assert (seen.employee, seen.signed_at is not None, seen.quiz_passed) == (clerk, True, True)
    assert showing.unsigned(chief) == 0
    assert {one.employee.name for one in showing.signatures(officer)[1]} == {"Aoi", "Riku", "Sora", "Yuki", "Officer"}
    assert showing.unsigned(officer) == 4
    assert showing.signatures(clerk)[1] == []
