"""Looks for unusual reading in the access log. ``find`` writes nothing."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import watched_teams
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.supervision.models import Severity
from crm_contact_guard.supervision.routing import team_of
from crm_contact_guard.supervision.watching.models import Sort
from crm_contact_guard.supervision.watching.names import same_family, same_name
from crm_contact_guard.supervision.watching.tasks_of import with_task

#: How far back a reader's habit is looked up, and how many times as much as the habit is unusual.
HABIT: Final = timedelta(days=28)
TIMES: Final = 2
_HOUR: Final = timedelta(hours=1)
_KINDS: Final = ("view.content", "view.unmasked")
#: Pages that show single lines or what waits for a decision. Looking at them is not reading in bulk.
_WORK: Final = frozenset({"alert", "alerts", "hold", "consultation", "case"})
_LISTS: Final = frozenset({"alerts", "hold"})


@dataclass(frozen=True)
class View:
    """One recorded view of a conversation."""

    event: UUID
    at: datetime
    talk: UUID
    purpose: str
    unmasked: bool


@dataclass(frozen=True)
class Found:
    """What was unusual about a reader's day."""

    sort: Sort
    severity: int
    views: Sequence[View]

    @property
    def talks(self) -> int:
        return len({view.talk for view in self.views})


def days_of(since: date, until: date) -> Mapping[tuple[str, date], Sequence[View]]:
    """Return the recorded views by reader's ID and day, both days included, in the project's time zone."""
    days: dict[tuple[str, date], list[View]] = defaultdict(list)
    zone = timezone.get_default_timezone()
    for actor, view in _views(_midnight(since), _midnight(until + timedelta(days=1))):
        days[actor, view.at.astimezone(zone).date()].append(view)
    return days


def find(reader: Employee, day: date, views: Sequence[View]) -> Iterator[Found]:
    """Yield what is unusual about the views of one day, at most one of each sort. The oldest view comes first."""
    read = [view for view in views if view.purpose not in _LISTS]
    bulk = _bulk(reader, day, [view for view in views if view.purpose not in _WORK])
    if bulk is not None:
        yield bulk
    rows = Conversation.objects.select_related("customer", "employee", "team")
    talks = rows.in_bulk(list({view.talk for view in read}))
    yield from _own_name(reader, read, talks)
    since = _midnight(day) - timedelta(days=7)
    if reader.role == Role.COMPLIANCE:
        yield from _no_task(reader, read, since)
    elif reader.role in (Role.EMPLOYEE, Role.SUPERVISOR):
        yield from _outside(reader, read, talks, since)


def _bulk(reader: Employee, day: date, views: Sequence[View]) -> Found | None:
    """Return the hour with the most conversations, if they are more than the setting and the reader's habit allow."""
    floor = int(settings.READ_PER_HOUR)
    most = _fullest(views)
    if not floor or len({view.talk for view in most}) <= floor:
        return None
    limit = max(floor, TIMES * _habit(reader, day))
    count = len({view.talk for view in most})
    if count <= limit:
        return None
    return Found(Sort.BULK, Severity.HIGH if count > TIMES * limit else Severity.MEDIUM, most)


def _fullest(views: Sequence[View]) -> Sequence[View]:
    """Return the views of the hour that contains the most conversations."""
    most: Sequence[View] = ()
    count, first = 0, 0
    inside: dict[UUID, int] = defaultdict(int)
    for last, view in enumerate(views):
        inside[view.talk] += 1
        while views[first].at < view.at - _HOUR:
            inside[views[first].talk] -= 1
            if not inside[views[first].talk]:
                del inside[views[first].talk]
            first += 1
        if len(inside) > count:
            count, most = len(inside), views[first : last + 1]
    return most


def _habit(reader: Employee, day: date) -> int:
    """Return how many conversations the reader reads in a busy hour: nine in ten of the hours have at most as many."""
    hours: dict[int, set[UUID]] = defaultdict(set)
    for _actor, view in _views(_midnight(day) - HABIT, _midnight(day), reader):
        if view.purpose not in _WORK:
            hours[int(view.at.timestamp()) // 3600].add(view.talk)
    counts = sorted(len(talks) for talks in hours.values())
    return counts[math.ceil(len(counts) * 0.9) - 1] if counts else 0


def _own_name(reader: Employee, views: Sequence[View], talks: Mapping[UUID, Conversation]) -> Iterator[Found]:
    if not settings.READ_OWN_NAME:
        return
    named, whole = set(), False
    for key, talk in talks.items():
        others = [talk.customer.name]
        others += [talk.employee.name] if talk.employee is not None and talk.employee_id != reader.pk else []
        if any(same_family(reader.name, name) or same_name(reader.name, name) for name in others):
            named.add(key)
            whole = whole or any(same_name(reader.name, name) for name in others)
    yield from _found(Sort.OWN_NAME, Severity.HIGH if whole else Severity.MEDIUM, views, named)


def _outside(
    reader: Employee, views: Sequence[View], talks: Mapping[UUID, Conversation], since: datetime
) -> Iterator[Found]:
    teams = {*watched_teams(reader).values_list("pk", flat=True), *reader.teams.values_list("pk", flat=True)}
    outside = set()
    for key, talk in talks.items():
        team = team_of(talk)
        if talk.employee_id != reader.pk and team is not None and team.pk not in teams:
            outside.add(key)
    yield from _found(Sort.OUTSIDE_TEAM, Severity.MEDIUM, views, outside - with_task(reader, outside, since))


def _no_task(reader: Employee, views: Sequence[View], since: datetime) -> Iterator[Found]:
    talks = {view.talk for view in views}
    least = int(settings.READ_WITHOUT_TASK)
    if not least or len(talks) < least:
        return
    without = talks - with_task(reader, talks, since)
    if len(without) >= least:
        yield from _found(Sort.NO_TASK, Severity.LOW, views, without)


def _found(sort: Sort, severity: Severity, views: Sequence[View], talks: set[UUID]) -> Iterator[Found]:
    evidence = [view for view in views if view.talk in talks]
    if evidence:
        seen_more = severity < Severity.HIGH and any(view.unmasked for view in evidence)
        yield Found(sort, severity + seen_more, evidence)


def _views(since: datetime, until: datetime, reader: Employee | None = None) -> Iterator[tuple[str, View]]:
    rows = Event.objects.filter(
        kind__in=_KINDS, recorded_at__gte=since, recorded_at__lt=until, conversation__isnull=False
    )
    if reader is not None:
        rows = rows.filter(actor=str(reader.pk))
    columns = rows.order_by("recorded_at", "id").values_list(
        "id", "recorded_at", "conversation", "data", "kind", "actor"
    )
    for key, at, talk, data, kind, actor in columns.iterator(chunk_size=2000):
        purpose = json.loads(data).get("purpose", "")
        yield actor, View(key, at, talk, purpose, kind == "view.unmasked")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=timezone.get_default_timezone())
