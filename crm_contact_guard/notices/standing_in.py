"""Sends the notices of people who are away to whoever stands in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from crm_contact_guard.directory import absences
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices.topics import Topic


def reached(people: Iterable[Employee], topic: Topic, subject_id: str, at: datetime) -> list[Employee]:
    """Return who is told at ``at`` instead of those who are away then.

    People stay who are told for themselves (``Topic.is_duty``), and those whose stand-in may not see the subject, for
    example because it concerns that person: a notice that nobody can read would be lost.
    """
    people = list(people)
    if not topic.is_duty:
        return people
    away = absences.away(people, at)
    reached = []
    for person in people:
        stand_in = away.get(person.pk)
        sees = stand_in is not None and topic.lines(stand_in, [subject_id])
        reached.append(stand_in if stand_in is not None and sees else person)
    return reached
