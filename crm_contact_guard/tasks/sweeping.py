"""Reschedule work that was left undone because a process crashed or the broker was unavailable."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from crm_contact_guard.conversations.desk import drafts, presence
from crm_contact_guard.delivery import outbox, waits
from crm_contact_guard.dispatch import later
from crm_contact_guard.files import media
from crm_contact_guard.notices import outbox as notices
from crm_contact_guard.policy import restriction_notices
from crm_contact_guard.sending import telling
from crm_contact_guard.supervision import alert_notices, inspection
from crm_contact_guard.supervision.cases import reminders
from crm_contact_guard.supervision.consulting import consultations
from crm_contact_guard.supervision.handling import overdue, steps
from crm_contact_guard.supervision.rehearsing import trials
from crm_contact_guard.supervision.second_reading import second_reader
from crm_contact_guard.supervision.standing_in import returning


def work_reschedule(days: int) -> dict[str, int]:
    """Reschedule overdue work and return the number of tasks of each kind.

    This includes messages whose time to go has come, messages in the outbox, files at carriers, uninspected messages
    from the last ``days`` days, questions to the second reader, notices, and trials of rules. Snoozed alerts whose
    time has come return to the queue, as do those claimed by somebody who no longer stands in. People are reminded of
    overdue alerts, which are then passed on, and of tasks in cases; old drafts are deleted. All else is left to other
    tasks, so that a slow carrier does not delay the rest.
    """
    now = timezone.now()
    count = {"released": _schedule("release", waits.due(now))}
    telling.holds_remind()
    count["delivered"] = _schedule("deliver", outbox.due(now))
    count["fetched"] = _schedule("fetch", media.due(now))
    count["inspected"] = _schedule("inspect", inspection.uninspected(since=now - timedelta(days=days)))
    count["asked"] = _schedule("reader_ask", second_reader.due())
    count["woken"] = steps.wake_due()
    returning.claims_return()
    overdue.overdue_steps()
    alert_notices.owed_tell()
    notices.failed_renew()
    reminders.remind_due()
    drafts.forget_old()
    presence.forget_old()
    count["notified"] = _schedule("notify", notices.due())
    count["told"] = _schedule("restriction_tell", restriction_notices.due())
    consultations.follow_ups_remind()
    count["rehearsed"] = _schedule("rehearse", trials.due())
    return count


def _schedule(task: str, keys: Collection[UUID | int]) -> int:
    """Schedule a task for each of the rows, and return their number."""
    for key in keys:
        later(task, str(key))
    return len(keys)
