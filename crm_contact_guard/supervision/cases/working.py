"""Working on a case: participants, notes, interviews, tasks, telling the employee, and the hearing."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPossible
from crm_contact_guard.hosting import database
from crm_contact_guard.supervision.cases.letters import issue
from crm_contact_guard.supervision.cases.models import (
    Case,
    CaseEntry,
    CaseLetter,
    CaseParticipant,
    CaseTask,
    Part,
)
from crm_contact_guard.supervision.cases.opening import participate
from crm_contact_guard.supervision.cases.rights import may_take_part
from crm_contact_guard.supervision.cases.steps import move, record, take, written

#: How far away a task's date may be.
_FARTHEST = timedelta(days=1830)
#: Maximum number of people, entries and tasks in a case.
MOST_PEOPLE, MOST_ENTRIES = 30, 500


@database.atomic()
def participant_add(*, case_id: UUID, actor: Employee, person: Employee, part: str) -> None:
    """Let somebody take part in the case. Repeating the call has no effect.

    Raise NotPermitted, NotPossible, or InvalidMessage if the person can't take part, such as the employee concerned.
    """
    case, _row = take(case_id, actor, "participant_add")
    if part not in (Part.LEAD, Part.MEMBER, Part.APPROVER):
        raise InvalidMessage(_("Choose a part: lead, member or approver."), field="part")
    if not may_take_part(person, case):
        raise InvalidMessage(_("This person can't take part in the case."), field="person")
    before = case.participants.filter(employee=person).first()
    if before is not None:
        if before.part != part:
            raise InvalidMessage(_("This person already takes part in the case."), field="person")
        return
    if case.participants.count() >= MOST_PEOPLE:
        raise InvalidMessage(_("A case has at most %(most)d participants.") % {"most": MOST_PEOPLE}, field="person")
    participate(case, person, part, added_by=actor)


@database.atomic()
def participant_remove(*, case_id: UUID, actor: Employee, person: Employee) -> None:
    """End somebody's part in the case. Repeating the call has no effect.

    Raise NotPermitted, NotPossible, and InvalidMessage if nobody would lead the case.
    """
    case, _row = take(case_id, actor, "participant_remove")
    found = case.participants.filter(employee=person).first()
    if found is None:
        return
    if found.part == Part.LEAD and case.participants.filter(part=Part.LEAD).count() == 1:
        raise InvalidMessage(_("Somebody must lead the case."), field="person")
    record(case, actor, "case_participant.removed", found)
    CaseParticipant.objects.filter(pk=found.pk).delete()


@database.atomic()
def note_add(*, case_id: UUID, actor: Employee, text: str) -> CaseEntry:
    """Add a note, which only participants read. Raise NotPermitted, NotPossible or InvalidMessage."""
    case, _row = take(case_id, actor, "note")
    return write(case, actor, CaseEntry.Kind.NOTE, text)


@database.atomic()
def interview_add(*, case_id: UUID, actor: Employee, text: str, occurred_at: datetime) -> CaseEntry:
    """Add the record of an interview, for example with a witness. Raise NotPermitted, NotPossible or InvalidMessage."""
    case, _row = take(case_id, actor, "interview")
    return write(case, actor, CaseEntry.Kind.INTERVIEW, text, occurred_at)


@database.atomic()
def task_add(*, case_id: UUID, actor: Employee, title: str, assignee: Employee, due_at: datetime) -> CaseTask:
    """Add a task for a participant. Raise NotPermitted, NotPossible or InvalidMessage."""
    case, _row = take(case_id, actor, "task_add")
    title = " ".join(written(title, "title", most=200).split())
    if not case.participants.filter(employee=assignee).exists():
        raise InvalidMessage(_("Only participants can have tasks."), field="assignee")
    now = timezone.now()
    if abs(due_at - now) > _FARTHEST:
        raise InvalidMessage(_("The date is too far away."), field="due_at")
    same = case.tasks.filter(title=title, assignee=assignee, due_at=due_at, done_at=None).first()
    if same is not None:
        return same
    if case.tasks.count() >= MOST_ENTRIES:
        raise InvalidMessage(_("The case has too many tasks."), field="title")
    task = CaseTask.objects.create(
        case=case, title=title, assignee=assignee, due_at=due_at, created_by=actor, created_at=now
    )
    record(case, actor, "case_task.added", task)
    return task


@database.atomic()
def task_done(*, case_id: UUID, actor: Employee, task_id: UUID) -> None:
    """Mark a task as done. Repeating the call has no effect. Raise NotPermitted, NotPossible or InvalidMessage."""
    case, _row = take(case_id, actor, "task_done")
    task = case.tasks.filter(pk=task_id).first()
    if task is None:
        raise InvalidMessage(_("The case has no such task."), field="task")
    if CaseTask.objects.filter(pk=task.pk, done_at=None).update(done_at=timezone.now(), done_by=actor):
        task.refresh_from_db()
        record(case, actor, "case_task.done", task)


@database.atomic()
def case_investigate(*, case_id: UUID, actor: Employee) -> None:
    """Say that the case is being looked into. Raise NotPermitted or NotPossible."""
    case, row = take(case_id, actor, "investigate")
    move(case, row, actor)


@database.atomic()
def case_tell(*, case_id: UUID, actor: Employee, allegation: str) -> CaseLetter:
    """Tell the employee what is alleged, and invite to the hearing. From now on, the employee sees the case.

    Raise NotPermitted, NotPossible, and InvalidMessage if the case is about nobody.
    """
    case, row = take(case_id, actor, "tell")
    if case.concerned is None:
        raise InvalidMessage(_("Say whom the case is about."), field="concerned")
    told = case.told_at or timezone.now()
    # Whoever is told something new must be heard about it.
    move(case, row, actor, allegation=written(allegation, "allegation"), told_at=told, heard_at=None)
    return issue(case, actor, CaseLetter.Kind.HEARING)


@database.atomic()
def hearing_record(*, case_id: UUID, actor: Employee, text: str, occurred_at: datetime) -> CaseEntry:
    """Record what the employee said at the hearing, or that the employee did not wish to be heard.

    Raise NotPermitted, NotPossible, and InvalidMessage if the hearing was before the employee was told.
    """
    case, row = take(case_id, actor, "hear")
    if case.told_at is None:
        raise NotPossible(_("Tell the employee first what is alleged."))
    if occurred_at < case.told_at.replace(second=0, microsecond=0):
        raise InvalidMessage(_("The hearing can't be before the employee was told."), field="occurred_at")
    entry = write(case, actor, CaseEntry.Kind.HEARING, text, occurred_at)
    move(case, row, actor, heard_at=occurred_at)
    return entry


@database.atomic()
def statement_add(*, case_id: UUID, actor: Employee, text: str) -> CaseEntry:
    """Add what the concerned employee has to say. Raise NotPermitted, NotPossible or InvalidMessage."""
    case, _row = take(case_id, actor, "state")
    return write(case, actor, CaseEntry.Kind.STATEMENT, text)


def write(case: Case, actor: Employee, kind: str, text: str, occurred_at: datetime | None = None) -> CaseEntry:
    """Add an entry. The same text of the same author, submitted twice, is one entry. The caller has asked."""
    now = timezone.now()
    told = written(text, "text")
    if occurred_at is not None and occurred_at > now:
        raise InvalidMessage(_("The time is in the future."), field="occurred_at")
    recent = case.entries.filter(kind=kind, author=actor, created_at__gte=now - timedelta(minutes=10))
    same = next((entry for entry in recent if entry.text == told), None)
    if same is not None:
        return same
    if case.entries.count() >= MOST_ENTRIES:
        raise InvalidMessage(_("The case has too many entries."))
    entry = CaseEntry.objects.create(
        case=case, kind=kind, author=actor, text=told, occurred_at=occurred_at or now, created_at=now
    )
    record(case, actor, "case_entry.added", entry)
    return entry
