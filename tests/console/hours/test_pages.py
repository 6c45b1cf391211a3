"""The pages about working time, as supervisor, compliance officer and employee use them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.policy.calendars.storing import calendar_store
from crm_contact_guard.verification.whole_record import verify
from tests.console.conftest import Hotel

ROSTER = {"kind": "roster", "mon": "09:00-18:00", "tue": "09:00-18:00"}


def ahead(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()


def test_a_supervisor_enters_leave_that_the_employee_sees_and_removes_it(hotel: Hotel) -> None:
    aoi = hotel.people["aoi"].pk
    form = {"kind": "leave", "first": ahead(2), "last": ahead(4), "version": "0"}

    assert hotel.post("chief", "hours_enter", aoi, data=form).status_code == 302
    seen = hotel.get("aoi", "hours_employee", aoi).content.decode()
    hotel.post("chief", "hours_remove", aoi, data={"kind": "leave", "number": "0", "version": "1"})

    assert f"{ahead(2)} – {ahead(4)}" in seen
    assert seen.count("<small>Leave</small>") == 3
    assert "Remove" not in seen
    assert "Add leave" not in seen
    assert WorkCalendar.objects.get().calendar == {}
    assert verify().holds


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({**ROSTER, "first": "1990-01-01", "last": "1990-12-31"}, "This date is more than a year ago."),
        ({**ROSTER, "first": "soon", "last": ""}, "Enter a date such as 2026-05-06."),
        ({**ROSTER, "tue": "9 to 6"}, "Enter hours such as 09:00-12:00, 13:00-18:00."),
        ({"kind": "on_call", "start": "2026-12-24", "end": "<b>"}, "Enter a date and time such as"),
    ],
)
def test_a_mistake_stands_at_its_field_with_what_was_typed(hotel: Hotel, form: dict[str, str], says: str) -> None:
    given = {"first": ahead(1), "last": ahead(9), "version": "0", **form}

    response = hotel.post("chief", "hours_enter", hotel.people["aoi"].pk, data=given)
    text = response.content.decode()

    assert response.status_code == 422
    assert says in text
    assert all(value.replace("<b>", "&lt;b&gt;") in text for value in form.values())
    assert "<details open>" in text
    assert not WorkCalendar.objects.exists()


def test_two_supervisors_at_once_lose_nothing(hotel: Hotel) -> None:
    aoi = hotel.people["aoi"].pk
    hotel.post("chief", "hours_enter", aoi, data={"kind": "leave", "first": ahead(2), "version": "0"})

    late = hotel.post("vice", "hours_enter", aoi, data={"kind": "leave", "first": ahead(5), "version": "0"})
    again = hotel.post("vice", "hours_remove", aoi, data={"kind": "leave", "number": "9", "version": "1"})

    assert (late.status_code, again.status_code) == (409, 409)
    assert "Somebody else changed this calendar" in late.content.decode()
    assert f'value="{ahead(5)}"' in late.content.decode()
    assert len(WorkCalendar.objects.get().calendar["leave"]) == 1


def test_the_companys_dates_count_for_everybody(hotel: Hotel) -> None:
    hotel.post("compliance", "hours_company_enter", data={"kind": "closed", "first": ahead(3), "version": "0"})

    for name in ("aoi", "ren"):
        text = hotel.get("compliance", "hours_employee", hotel.people[name].pk).content.decode()
        assert text.count("<small>Closed date</small>") == 1
    for kind in ("leave", "roster", "nothing"):
        form = {"kind": kind, "first": ahead(3), "version": "1"}
        assert hotel.post("compliance", "hours_company_enter", data=form).status_code in (404, 422)


def test_what_is_wrong_with_the_sources_is_said(hotel: Hotel) -> None:
    aoi = hotel.people["aoi"]
    calendar_store(
        tenant="", owner=aoi, source="icalendar", calendar={}, version=0, problem="line 7: <b> is not a time"
    )
    assert "line 7: &lt;b&gt; is not a time" in hotel.get("aoi", "hours_employee", aoi.pk).content.decode()

    Employee.objects.filter(pk=aoi.pk).update(timezone="Mars/Base")
    assert (
        "a time zone that doesn&#x27;t exist: Mars/Base" in hotel.get("aoi", "hours_employee", aoi.pk).content.decode()
    )

    Employee.objects.filter(pk=aoi.pk).update(calendar={"leave": ["x"]})
    assert "calendar.leave[0]" in hotel.get("aoi", "hours_employee", aoi.pk).content.decode()


def test_supervisors_find_their_team_and_officers_everybody(hotel: Hotel) -> None:
    team = hotel.get("chief", "hours").content.decode()
    everybody = hotel.get("auditor", "hours").content.decode()
    found = hotel.get("auditor", "hours", query="?q=re").content.decode()

    def named(text: str) -> list[bool]:
        return [f"<strong>{name}</strong>" in text for name in ("Aoi", "Ken", "Ren")]

    assert (named(team), named(everybody), named(found)) == ([True, True, False], [True] * 3, [False, False, True])
    assert "no colleague" in hotel.get("auditor", "hours", query="?q=zzz").content.decode()
