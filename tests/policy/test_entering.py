"""What supervisors and compliance officers enter on the page: named mistakes, versions, and what comes of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.calendars.entering import calendar_enter, calendar_remove
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.policy.calendars.storing import calendar_store
from crm_contact_guard.policy.working_time.calendar import DayRule
from crm_contact_guard.record.models import Event
from crm_contact_guard.verification.whole_record import verify
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk() -> Employee:
    return factories.employee("aoi", branch=factories.team(head="sora"), hours={"mon-fri": "09:00-18:00"})


@pytest.fixture
def chief(clerk: Employee) -> Employee:
    return Employee.objects.get(name="Sora")


@pytest.fixture
def officer() -> Employee:
    return factories.employee("mio", job="compliance")


def enter(actor: Employee, owner: Employee | None, kind: str, version: int = -1, **given: Any) -> None:
    row = WorkCalendar.objects.filter(owner=str(owner.pk) if owner else "", source="page").first()
    known = row.version if row is not None else 0
    texts = {name: value.isoformat() if isinstance(value, date) else value for name, value in given.items()}
    calendar_enter(
        actor=actor, tenant="", owner=owner, kind=kind, given=texts, version=known if version < 0 else version
    )


def day(ahead: int) -> date:
    """So many days from today in Tokyo, where the clerk works."""
    return timezone.now().astimezone(hours.zone_named("Asia/Tokyo")).date() + timedelta(days=ahead)


def rule(clerk: Employee, ahead: int) -> tuple[DayRule, bool]:
    found = hours.working_time_of(clerk).shown_day(day(ahead))
    return found.rule, bool(found.work)


def test_each_kind_of_entry_counts(clerk: Employee, chief: Employee, officer: Employee) -> None:
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "22:00-07:00")
    enter(chief, clerk, "roster", first=day(10), last=day(12), **week)
    enter(chief, clerk, "leave", first=day(11), last=day(11))
    enter(chief, clerk, "on_call", start=f"{day(12)}T08:00", end=f"{day(12)}T12:00")
    enter(chief, clerk, "leave_parts", first=day(12), start="22:00", end="24:00")
    for ahead in range(20, 27):
        enter(officer, None, "closed", first=day(ahead))
    enter(chief, clerk, "open", first=day(23))

    found = [rule(clerk, ahead) for ahead in (10, 11, 12, 20, 26)]
    assert found == [
        (DayRule.ROSTER, True),
        (DayRule.LEAVE, False),
        (DayRule.ROSTER, True),
        (DayRule.CLOSED, False),
        (DayRule.CLOSED, False),
    ]
    assert rule(clerk, 23)[0] is DayRule.OPEN
    shown = hours.working_time_of(clerk).shown_day(day(12))
    assert [round((one.end - one.start).total_seconds() / 3600) for one in (*shown.work, *shown.on_call)] == [7, 4]
    assert Event.objects.filter(kind__startswith="calendar.").count() == 12
    assert verify().holds


def test_the_page_counts_before_the_file_and_the_file_before_the_host(clerk: Employee, chief: Employee) -> None:
    def roster(*spans: list[str]) -> dict[str, Any]:
        text = day(5).isoformat()
        return {"roster": {"from": text, "to": text, "days": {text: list(spans)}}}

    clerk.calendar = roster(["01:00", "02:00"])
    hour = [hours.working_time_of(clerk).shown_day(day(5)).work]
    calendar_store(tenant="", owner=clerk, source="icalendar", calendar=roster(["03:00", "04:00"]), version=0)
    hour.append(hours.working_time_of(clerk).shown_day(day(5)).work)
    calendar_store(tenant="", owner=clerk, source="page", calendar={"roster": [roster()["roster"]]}, version=0)
    hour.append(hours.working_time_of(clerk).shown_day(day(5)).work)

    tokyo = hours.zone(clerk)
    assert [[one.start.astimezone(tokyo).hour for one in found] for found in hour] == [[1], [3], []]


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("roster", {"first": "1990-01-01", "last": "1990-12-31"}, "first"),
        ("roster", {"first": day, "last": "9999-12-31"}, "last"),
        ("roster", {"first": 3, "last": 1}, "last"),
        ("roster", {"first": 1, "last": 3, "mon": "9-18"}, "mon"),
        ("roster", {"first": 1, "last": 3, "sun": "25:00-26:00"}, "sun"),
        ("roster", {"first": 1, "last": 3, "tue": "09:00-13:00, 12:00-18:00"}, "tue"),
        ("leave", {"first": "", "last": ""}, "first"),
        ("leave", {"first": "tomorrow"}, "first"),
        ("leave", {"first": "2026-02-30"}, "first"),
        ("leave_parts", {"first": 1, "start": "25:00", "end": "26:00"}, "start"),
        ("leave_parts", {"first": 1, "start": "09:00", "end": "09:00"}, "end"),
        ("leave_parts", {"first": 1, "start": "09:00", "end": "noon"}, "end"),
        ("leave_parts", {"first": 1, "start": "09:00,10:00", "end": "12:00"}, "start"),
        ("on_call", {"start": "1990-01-01T09:00", "end": "1990-01-02T09:00"}, "start"),
        ("on_call", {"start": "tomorrow", "end": "x"}, "start"),
        ("on_call", {"start": "2026-12-24T09:00+09:00", "end": "x"}, "start"),
        ("open", {"first": "9" * 400}, "first"),
        ("holidays", {"first": 1}, "kind"),
        ("", {}, "kind"),
    ],
)
def test_a_mistake_is_named_with_its_field(
    clerk: Employee, chief: Employee, kind: str, given: dict[str, Any], field: str
) -> None:
    texts = {
        name: day(value) if isinstance(value, int) else day(1) if callable(value) else value
        for name, value in given.items()
    }

    with pytest.raises(InvalidMessage) as refused:
        enter(chief, clerk, kind, **texts)

    assert refused.value.field == field
    assert not WorkCalendar.objects.exists()


@pytest.mark.parametrize(
    ("kind", "one", "two"),
    [
        ("leave", {"first": 1, "last": 5}, {"first": 5, "last": 9}),
        ("roster", {"first": 1, "last": 5}, {"first": 0, "last": 9}),
        ("open", {"first": 1}, {"first": 1}),
    ],
)
def test_overlapping_entries_are_refused(clerk: Employee, chief: Employee, kind: str, one: Any, two: Any) -> None:
    enter(chief, clerk, kind, **{name: day(value) for name, value in one.items()})

    with pytest.raises(InvalidMessage, match="overlaps"):
        enter(chief, clerk, kind, **{name: day(value) for name, value in two.items()})


def test_two_people_at_once_and_a_page_from_yesterday(clerk: Employee, chief: Employee, officer: Employee) -> None:
    enter(chief, clerk, "leave", first=day(1))
    for version in (0, 7):
        with pytest.raises(NotPossible):
            enter(officer, clerk, "leave", version, first=day(3))
    enter(officer, clerk, "leave", 1, first=day(3))

    with pytest.raises(NotPossible):
        calendar_remove(actor=chief, tenant="", owner=clerk, kind="leave", number=0, version=1)
    with pytest.raises(NotPossible):
        calendar_remove(actor=chief, tenant="", owner=clerk, kind="leave", number=5, version=2)
    calendar_remove(actor=chief, tenant="", owner=clerk, kind="leave", number=0, version=2)

    row = WorkCalendar.objects.get()
    assert (row.version, row.calendar) == (3, {"leave": [[day(3).isoformat()] * 2]})
    assert row.changed_by == chief
    assert verify().holds


def test_old_entries_are_dropped_with_the_next(clerk: Employee, chief: Employee) -> None:
    old, recent = ([day(ago).isoformat()] * 2 for ago in (-400, -300))
    calendar_store(tenant="", owner=clerk, source="page", calendar={"leave": [old, recent]}, version=0)

    enter(chief, clerk, "leave", first=day(1))

    assert WorkCalendar.objects.get().calendar["leave"] == [recent, [day(1).isoformat()] * 2]


def test_who_may_enter_what(clerk: Employee, chief: Employee, officer: Employee) -> None:
    stranger = factories.employee("yui", job="chief", branch=factories.team("Spa"))
    for actor, owner in (
        (clerk, clerk),
        (chief, chief),
        (officer, officer),
        (stranger, clerk),
        (clerk, chief),
        (chief, None),
        (factories.employee("ken", job="auditor"), clerk),
    ):
        with pytest.raises(NotPermitted):
            enter(actor, owner, "open", first=day(1))
    for actor, owner in ((chief, clerk), (officer, chief), (officer, None)):
        enter(actor, owner, "open", first=day(1))
    assert WorkCalendar.objects.count() == 3
