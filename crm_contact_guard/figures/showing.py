"""Figures as a person may see them: of their own teams, or of all; for a period, and never about one employee."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Customer, Employee, Team
from crm_contact_guard.directory.rights import sees_all, watched_teams
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.figures.counting import local, midnight
from crm_contact_guard.figures.models import Figure
from crm_contact_guard.policy.known_rules.showing import signatures
from crm_contact_guard.supervision.models import Alert, Side, Topic
from crm_contact_guard.supervision.rights import alerts

#: Teams with fewer members aren't broken down per person, not even by the load of their reviewers.
LEAST_PEOPLE: Final = 5
#: Ages of waiting alerts: days, from each to before the next.
AGES: Final = (0, 1, 3, 7, 30)
#: Days that are shown unless others are asked for, and at most.
DAYS: Final = 28
MOST_DAYS: Final = 731
#: The most customers that are listed.
MOST: Final = 10
_WAITING: Final = (Alert.Status.OPEN, Alert.Status.CLAIMED)
_PRESSING: Final = (Topic.OFF_CHANNEL, Topic.HARASSMENT)


@dataclass(frozen=True, kw_only=True)
class Load:
    """A reviewer's work: alerts that wait for them now, and that they closed in the period."""

    reviewer: Employee
    waiting: int
    closed: int


@dataclass(frozen=True, kw_only=True)
class Presser:
    """A customer who asked again and again: in how many messages, how often the employee declined, the newest alert."""

    customer: Customer
    times: int
    declined: int
    newest: UUID


@dataclass(frozen=True, kw_only=True)
class Figures:
    """``counts`` by measure and part (``counting.MEASURES``). ``by_team``: alerts opened, by team's name.

    ``late`` has 7 rows, Monday first, of 24 hours. ``loads`` is None for groups of fewer than ``LEAST_PEOPLE``.
    ``signed`` and ``signers`` count people under the rules that apply now. ``ageing`` goes with ``AGES``.
    """

    first: date
    last: date
    counts: Mapping[str, Counter[str]]
    by_team: Sequence[tuple[Team | None, int]]
    late: Sequence[Sequence[int]]
    ageing: Sequence[int]
    loads: Sequence[Load] | None
    pressers: Sequence[Presser]
    signed: int
    signers: int


def may_see_figures(viewer: Employee) -> bool:
    """Whether there are figures for the viewer: for everybody who supervises, and for auditors."""
    return viewer.active and (sees_all(viewer) or watched_teams(viewer).exists())


def teams(viewer: Employee) -> list[Team]:
    """Return the teams whose figures the viewer may see, by name."""
    rows = Team.objects.filter(tenant=viewer.tenant) if sees_all(viewer) else watched_teams(viewer)
    return list(rows.order_by("name", "pk"))


def figures(*, viewer: Employee, first: date, last: date, team: Team | None = None) -> Figures:
    """Return the figures from ``first`` to ``last``, both included, of one team or of all that the viewer may see.

    Raise NotPermitted.
    """
    mine = teams(viewer) if viewer.active else []
    if not may_see_figures(viewer) or (team is not None and team not in mine):
        raise NotPermitted(_("Figures are for supervisors, compliance officers and auditors."))
    chosen = mine if team is None else [team]
    everything = team is None and sees_all(viewer)
    rows = Figure.objects.filter(tenant=viewer.tenant, day__gte=first, day__lte=last)
    seen = alerts(viewer)
    if not everything:
        rows, seen = rows.filter(team__in=[str(one.pk) for one in chosen]), seen.filter(team__in=chosen)
    counts: dict[str, Counter[str]] = {}
    by_team: Counter[str] = Counter()
    for row in rows.values("team", "measure", "part").annotate(total=Sum("number")).order_by():
        counts.setdefault(row["measure"], Counter())[row["part"]] += row["total"]
        if row["measure"] == "alert":
            by_team[row["team"]] += row["total"]
    in_period = Q(opened_at__gte=midnight(first), opened_at__lt=midnight(last + timedelta(days=1)))
    people = Employee.objects.filter(teams__in=chosen, active=True).distinct().count()
    _version, signers = signatures(viewer)
    return Figures(
        first=first,
        last=last,
        counts=counts,
        by_team=_named(by_team, mine),
        late=_week(counts.get("after_hours", Counter())),
        ageing=_ageing(seen),
        loads=_loads(seen, first, last) if people >= LEAST_PEOPLE else None,
        pressers=_pressers(seen.filter(in_period)),
        signed=sum(one.signed_at is not None for one in signers),
        signers=len(signers),
    )


def period(days: int = DAYS) -> tuple[date, date]:
    """Return the first and the last of the last days, until today."""
    today = local(timezone.now()).date()
    return today - timedelta(days=days - 1), today


def _named(found: Counter[str], mine: Sequence[Team]) -> list[tuple[Team | None, int]]:
    named: list[tuple[Team | None, int]] = [(one, found[str(one.pk)]) for one in mine if found[str(one.pk)]]
    return [*named, *([(None, found[""])] if found[""] else [])]


def _week(parts: Counter[str]) -> list[list[int]]:
    return [[parts[f"{day} {hour:02}"] for hour in range(24)] for day in range(7)]


def _ageing(seen: QuerySet[Alert]) -> list[int]:
    now = timezone.now()
    counts = dict.fromkeys(range(len(AGES)), 0)
    for opened in seen.filter(status__in=_WAITING).values_list("opened_at", flat=True):
        days = (now - opened) / timedelta(days=1)
        counts[max(place for place, least in enumerate(AGES) if days >= least or not place)] += 1
    return list(counts.values())


def _loads(seen: QuerySet[Alert], first: date, last: date) -> list[Load]:
    waiting: Counter[UUID | None] = Counter()
    holders: Iterable[tuple[UUID | None, UUID | None]] = seen.filter(status__in=_WAITING).values_list(
        "claimed_by_id", "addressee_id"
    )
    for claimed, addressee in holders:
        waiting[claimed or addressee] += 1
    waiting.pop(None, None)
    closed = dict(
        seen.filter(
            status=Alert.Status.CLOSED,
            closed_by__isnull=False,
            closed_at__gte=midnight(first),
            closed_at__lt=midnight(last + timedelta(days=1)),
        )
        .order_by()
        .values_list("closed_by")
        .annotate(number=Count("pk"))
    )
    people = Employee.objects.filter(pk__in={*waiting, *closed}).order_by("name", "pk")
    return [Load(reviewer=one, waiting=waiting[one.pk], closed=closed.get(one.pk, 0)) for one in people]


def _pressers(seen: QuerySet[Alert]) -> list[Presser]:
    found: dict[UUID, Presser] = {}
    rows = seen.filter(by=Side.CUSTOMER, topic__in=_PRESSING).select_related("conversation__customer")
    for alert in rows.order_by("-opened_at", "-pk"):
        customer = alert.conversation.customer
        known = found.get(customer.pk)
        found[customer.pk] = Presser(
            customer=customer,
            times=alert.times + (known.times if known else 0),
            declined=alert.declined + (known.declined if known else 0),
            newest=known.newest if known else alert.pk,
        )
    again = [one for one in found.values() if one.times > 1]
    return sorted(again, key=lambda one: (-one.times, one.customer.name))[:MOST]
