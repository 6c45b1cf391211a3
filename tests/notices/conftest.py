"""A company with a team, and a topic of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import override_settings

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices import topics
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.verification.projections import comparing
from crm_contact_guard.verification.report import Report
from tests import factories

#: A Thursday, 14:00 in Tokyo.
AFTERNOON = datetime(2026, 11, 26, 5, tzinfo=UTC)


class Subjects:
    """The subjects of the tests' topics. ``settled`` are those that no longer matter."""

    def __init__(self) -> None:
        self.settled: set[str] = set()

    def lines(self, person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
        who = person.name if person is not None else "the team"
        return {
            key: Line(text=f"{who}: {key} waits", path=f"/things/{key}/", since=AFTERNOON, details=[("Key:", key)])
            for key in ids
            if key not in self.settled
        }


@pytest.fixture
def subjects(monkeypatch: pytest.MonkeyPatch) -> Subjects:
    """Register "thing", told once a day, and "fire", told at once."""
    found = Subjects()
    monkeypatch.setattr(topics, "_TOPICS", dict(topics._TOPICS))
    topics.register(topics.Topic(name="thing", label="A thing", many="Things", lines=found.lines))
    topics.register(
        topics.Topic(
            name="fire",
            label="A fire",
            many="Fires",
            lines=found.lines,
            cadence=topics.Cadence.AT_ONCE,
            urgent=True,
            may_be_off=False,
        )
    )
    return found


@pytest.fixture
def sora() -> Employee:
    """A supervisor in Tokyo who works from 9 to 18 on weekdays and reads Japanese."""
    factories.employee("aoi", branch=factories.team(head="sora"))
    return Employee.objects.get(name="Sora")


@pytest.fixture
def by_default() -> Iterator[None]:
    """The setting ``NOTIFY`` as in an installation that sets nothing."""
    with override_settings(CONTACT_GUARD={**configured.CONTACT_GUARD, "NOTIFY": {"email": True}}):
        yield


def notify(**values: Any) -> Any:
    return override_settings(CONTACT_GUARD={**configured.CONTACT_GUARD, "NOTIFY": values})


def verified() -> list[str]:
    """Return what verification of the tables finds wrong."""
    report = Report()
    for declared in comparing.tables():
        comparing.check("default", declared, report)
    return [str(problem) for problem in report.faults]
