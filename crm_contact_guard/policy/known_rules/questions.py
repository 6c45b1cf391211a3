"""Questions about the rules. Everybody in the tenant can find them with their answers, but not who asked."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.directory.search import part_of
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.policy.known_rules.models import RulesQuestion
from crm_contact_guard.policy.known_rules.rights import may_answer_questions, must_sign
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.recording import record_event

MOST = 2000


def questions(viewer: Employee, words: str = "") -> QuerySet[RulesQuestion]:
    """Return the questions that the viewer may read, newest first: answered ones, and the viewer's own.

    People who answer see the open ones as well. With ``words``, only those whose question or answer contains them.
    """
    rows = RulesQuestion.objects.filter(tenant=viewer.tenant)
    if not viewer.active:
        return rows.none()
    if not may_answer_questions(viewer):
        rows = rows.filter(Q(answered_at__isnull=False) | Q(asked_by=viewer))
    if words:
        rows = rows.filter(part_of("text", words) | part_of("answer", words))
    return rows.order_by("-asked_at", "-id")


@database.atomic()
def question_ask(*, asked_by: Employee, text: str) -> RulesQuestion:
    """Ask the supervisors and compliance officers. Raise NotPermitted or InvalidMessage (field ``question``)."""
    if not must_sign(asked_by):
        raise NotPermitted(_("Auditors read and export; they ask no questions here."))
    question = RulesQuestion.objects.create(
        tenant=asked_by.tenant, asked_by=asked_by, asked_at=timezone.now(), text=_checked(text, "question")
    )
    _record("rules.asked", question, asked_by)
    return question


@database.atomic()
def question_answer(*, answered_by: Employee, question: RulesQuestion, text: str) -> RulesQuestion:
    """Answer a question, or replace its answer. Raise NotPermitted or InvalidMessage (field ``answer``)."""
    if not may_answer_questions(answered_by) or question.tenant != answered_by.tenant:
        raise NotPermitted(_("Supervisors and compliance officers answer questions about the rules."))
    question = RulesQuestion.objects.select_for_update().get(pk=question.pk)
    question.answer = _checked(text, "answer")
    question.answered_by, question.answered_at = answered_by, timezone.now()
    question.save(update_fields=["answer", "answered_by", "answered_at"])
    _record("rules.answered", question, answered_by)
    return question


def _checked(text: str, field: str) -> str:
    text = canonical_text(text).strip()
    if not text:
        raise InvalidMessage(_("Please write something."), field=field)
    if len(text) > MOST:
        raise InvalidMessage(_("At most %(most)d characters are allowed here.") % {"most": MOST}, field=field)
    return text


def _record(kind: str, question: RulesQuestion, employee: Employee) -> None:
    record_event(
        kind=kind,
        subject_type="rules_question",
        subject_id=question.pk,
        by=employee,
        tenant=question.tenant,
        row=question,
    )
