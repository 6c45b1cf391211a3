"""Reminders of tasks whose date has come. Each task is remembered once, whichever worker finds it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.utils import timezone

from crm_contact_guard.hosting import database
from crm_contact_guard.supervision.cases.models import CaseTask, State
from crm_contact_guard.supervision.cases.steps import record
from crm_contact_guard.supervision.cases.telling import task_tell

_BATCH: Final = 200


def remind_due() -> int:
    """Record a reminder for each task that is due and not done, and tell its assignee. Return how many there were."""
    due = CaseTask.objects.filter(done_at=None, reminded_at=None, due_at__lte=timezone.now())
    keys = due.exclude(case__state=State.CLOSED).order_by("due_at").values_list("pk", flat=True)
    return sum(_remind(key) for key in list(keys[:_BATCH]))


@database.atomic()
def _remind(task_id: UUID) -> bool:
    if not CaseTask.objects.filter(pk=task_id, done_at=None, reminded_at=None).update(reminded_at=timezone.now()):
        return False
    task = CaseTask.objects.select_related("case", "assignee").get(pk=task_id)
    record(task.case, None, "case_task.reminded", task)
    task_tell(task)
    return True
