"""Repeated exports: what each run is about, whose it is, and what ends them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.exports.bundle_rows import Filters
from crm_contact_guard.exports.jobs import repeating
from crm_contact_guard.exports.jobs.models import ExportJob, ExportSchedule
from crm_contact_guard.record.models import Event
from tests import factories
from tests.clock import Clock
from tests.notices.conftest import verified

pytestmark = pytest.mark.django_db
#: A Thursday.
NOW = datetime(2026, 11, 26, 5, tzinfo=UTC)


@pytest.fixture
def auditor(clock: Clock, settings: Any) -> Employee:
    clock.now, settings.TIME_ZONE = NOW, "Asia/Tokyo"
    return factories.employee("rio", job="auditor")


def spans() -> list[tuple[str, str]]:
    found = [json.loads(job.filters) for job in ExportJob.objects.order_by("requested_at", "pk")]
    return [(one["occurred_from"][:16], one["occurred_before"][:16]) for one in found]


def test_each_run_is_an_export_about_the_last_whole_period(auditor: Employee, clock: Clock) -> None:
    customer = factories.conversation(None).customer
    given: dict[str, Any] = {"actor": auditor, "purpose": "Monthly report", "filters": Filters(customer=customer.pk)}
    weekly = repeating.schedule_make(period="weekly", **given)
    repeating.schedule_make(period="monthly", formats=["csv"], **given)
    assert repeating.run_due() == 0

    clock.forward(timedelta(days=4))  # Monday
    assert [repeating.run_due(), repeating.run_due()] == [1, 0]
    assert spans() == [("2026-11-23 00:00", "2026-11-30 00:00")]
    clock.forward(timedelta(days=12))  # after an outage, each period gets its run
    assert [repeating.run_due(), repeating.run_due()] == [2, 0]
    assert spans()[1:] == [("2026-11-01 00:00", "2026-12-01 00:00"), ("2026-11-30 00:00", "2026-12-07 00:00")]

    job = ExportJob.objects.get(formats="csv")
    assert (job.requested_by, job.purpose, job.profile) == (auditor, "Monthly report", "masked")
    assert json.loads(job.filters)["customer"] == str(customer.pk)
    assert Event.objects.filter(kind="export_schedule.ran").count() == 3
    repeating.schedule_end(schedule_id=weekly.pk, actor=auditor)
    clock.forward(timedelta(days=7))
    assert repeating.run_due() == 0
    assert not [fault for fault in verified() if "export" in fault]


def test_it_ends_with_the_right_to_export_and_waits_while_too_much_is_unfinished(
    auditor: Employee, clock: Clock
) -> None:
    schedule = repeating.schedule_make(actor=auditor, period="weekly", purpose="x", filters=Filters())
    clock.forward(timedelta(days=70))
    assert sum(repeating.run_due() for _ in range(12)) == 5
    schedule.refresh_from_db()
    assert schedule.ended_at is None
    Employee.objects.filter(pk=auditor.pk).update(role="employee")
    assert repeating.run_due() == 0
    schedule.refresh_from_db()
    assert schedule.ended_at
    assert schedule.remark == "You may not export the record."
    officer = factories.employee("kai", job="compliance")
    for wrong in ({"period": "daily"}, {"filters": Filters(occurred_from=NOW)}, {"formats": ["exe"]}):
        with pytest.raises(InvalidMessage):
            repeating.schedule_make(
                **{"actor": officer, "period": "weekly", "purpose": "x", "filters": Filters(), **wrong}
            )


def test_the_form_repeats_an_export_and_the_list_ends_it(auditor: Employee, client: Client) -> None:
    client.force_login(auditor.user)
    given = {"purpose": "Weekly report", "profile": "masked", "repeat": "weekly"}
    assert client.post("/guard/exports/", {**given, "first_day": "2026-11-01"}).status_code == 422
    assert client.post("/guard/exports/", given).status_code == 302
    shown = client.get("/guard/exports/").content.decode()
    assert "Weekly report" in shown
    schedule = ExportSchedule.objects.get()
    assert client.post(f"/guard/exports/repeated/{schedule.pk}/end/").status_code == 302
    assert "Weekly report" not in client.get("/guard/exports/").content.decode()
    assert not ExportJob.objects.exists()
