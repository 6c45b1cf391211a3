"""Sign the rules, and take their quiz. Both are recorded with the version's digest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.policy.known_rules import quiz
from crm_contact_guard.policy.known_rules.models import Acknowledgement, RulesVersion
from crm_contact_guard.policy.known_rules.rights import must_sign
from crm_contact_guard.record.recording import record_event


@database.atomic()
def rules_sign(*, signed_by: Employee, version: RulesVersion, digest: str) -> Acknowledgement:
    """Record that the employee has read and understood the version whose ``digest`` was shown. Repeats change nothing.

    Raise NotPermitted, or InvalidMessage if another text was shown or the quiz isn't passed.
    """
    _check(signed_by, version)
    if digest != version.digest:
        raise InvalidMessage(_("These rules have changed. Please read them again."), field="digest")
    found = expected(version, signed_by)
    if version.quiz and found.quiz_passed_at is None:
        raise InvalidMessage(_("Please answer the questions first."), field="quiz")
    now = timezone.now()
    if Acknowledgement.objects.filter(pk=found.pk, signed_at=None).update(signed_at=now, remind_at=None):
        found.refresh_from_db()
        _record("rules.signed", found, signed_by, digest=digest)
    found.refresh_from_db()
    return found


@database.atomic()
def quiz_try(*, taken_by: Employee, version: RulesVersion, chosen: Mapping[int, int]) -> bool:
    """Record an attempt at the quiz. Return whether every answer is right. Which ones were wrong isn't recorded.

    ``chosen`` maps the index of a question to that of the chosen answer. Raise NotPermitted.
    """
    _check(taken_by, version)
    questions = quiz.parse(version.quiz)
    found = expected(version, taken_by)
    if not questions or found.quiz_passed_at is not None:
        return True
    passed = quiz.is_passed(questions, chosen)
    rows = Acknowledgement.objects.filter(pk=found.pk, quiz_passed_at=None)
    if rows.update(quiz_tries=F("quiz_tries") + 1, **({"quiz_passed_at": timezone.now()} if passed else {})):
        found.refresh_from_db()
        _record("rules.quiz_tried", found, taken_by, passed=passed)
    return passed


def expected(version: RulesVersion, employee: Employee, remind_at: datetime | None = None) -> Acknowledgement:
    """Return the row of this person and version, which is created if it is missing."""
    rows = Acknowledgement.objects.filter(version=version, employee=employee)
    found = rows.first()
    if found is not None:
        return found
    with insert_once(rows.first) as insertion:
        made = Acknowledgement.objects.create(version=version, employee=employee, remind_at=remind_at)
        _record("rules.expected", made, None)
    return insertion.earlier or made


def record_reminder(found: Acknowledgement) -> None:
    """Record that a reminder is about to be sent."""
    _record("rules.reminded", found, None)


def _check(employee: Employee, version: RulesVersion) -> None:
    if not must_sign(employee) or version.tenant != employee.tenant:
        raise NotPermitted(_("These rules aren't yours to sign."))


def _record(kind: str, found: Acknowledgement, employee: Employee | None, **data: object) -> None:
    record_event(
        kind=kind,
        subject_type="acknowledgement",
        subject_id=found.pk,
        by=employee,
        tenant=found.version.tenant,
        data=data,
        row=found,
    )
