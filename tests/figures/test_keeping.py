"""Figures equal their definition over the record, whatever happens in whatever order, however often it is counted."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.figures import keeping
from crm_contact_guard.figures.counting import DURATIONS, local
from crm_contact_guard.figures.models import Figure
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert, Finding, Inspection
from crm_contact_guard.supervision.review import alert_close, alert_reopen
from tests import factories

pytestmark = pytest.mark.django_db

#: An event: its kind, its conversation, and the minutes before the base time. Events may arrive in any order.
MINUTES = st.integers(0, 60 * 24 * 4)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["in", "out", "late", "note", "auto", "refuse", "close", "reopen", "update"]),
        st.integers(0, 1),
        MINUTES,
    ),
    min_size=1,
    max_size=14,
)


class Life:
    """Two conversations of one team, and the time that messages go back from."""

    def __init__(self) -> None:
        self.aoi = factories.employee("aoi", branch=factories.team(head="sora"))
        self.sora = Employee.objects.get(name="Sora")
        self.talks = [factories.conversation(self.aoi, name=name) for name in ("Hanako Sato", "Jiro Ito")]
        self.base = timezone.now()

    def step(self, kind: str, talk: Conversation, at: datetime) -> None:
        if kind == "update":
            # As if everything before had long been counted: nothing is counted twice by chance.
            keeping.update("", timezone.now() + keeping.OVERLAP)
        elif kind == "close":
            for alert in Alert.objects.exclude(status="closed")[:1]:
                alert_close(alert_id=alert.pk, reviewer=self.sora, resolution="no_action")
        elif kind == "reopen":
            for alert in Alert.objects.filter(status="closed")[:1]:
                alert_reopen(alert_id=alert.pk, reviewer=self.sora, reason="Again")
        else:
            self.write(kind, talk, at)

    def write(self, kind: str, talk: Conversation, at: datetime) -> None:
        direction = {"in": "inbound", "note": "note"}.get(kind, "outbound")
        more: dict[str, Any] = {"source": "auto"} if kind == "auto" else {"employee_id": self.aoi.pk}
        given = {} if direction == "inbound" else more
        message = factories.recorded(talk, "Hello", direction=direction, occurred_at=at, **given)
        if kind == "refuse":
            mark = Inspection.objects.create(
                message=message, stance="refuse", score=0.1, version="1", inspected_at=timezone.now()
            )
            record_event(
                kind="message.inspected",
                subject_type="message",
                subject_id=message.pk,
                actor_type=Event.ActorType.SYSTEM,
                message=message,
                row=mark,
            )
        if kind == "late":
            found = NewFinding(
                message=message, kind="after_hours", start=0, end=5, score=1.0, detector="hours", version="2"
            )
            alert_raise(
                conversation=talk,
                verdict=Verdict(topic="after_hours", by="employee", stance="none", at=message, findings=[found]),
                notify=False,
            )


def defined() -> Counter[tuple[str, str, str]]:
    """The figures by day, measure and part, from all rows at once, in plain words."""
    found: Counter[tuple[str, str, str]] = Counter()

    def add(at: datetime, measure: str, part: str) -> None:
        found[local(at).date().isoformat(), measure, part] += 1

    for talk in Conversation.objects.all():
        said = list(Message.objects.filter(conversation=talk, source="live").exclude(direction="note"))
        said.sort(key=lambda message: (message.occurred_at, message.pk))
        previous = None
        for place, message in enumerate(said):
            add(message.occurred_at, "message", message.direction)
            if message.direction == "inbound" and previous != "inbound":
                answers = [one for one in said[place + 1 :] if one.direction == "outbound"]
                add(
                    message.occurred_at,
                    "answer",
                    waited(answers[0].occurred_at - message.occurred_at) if answers else "none",
                )
            previous = message.direction
            if Finding.objects.filter(message=message, kind="after_hours").exists():
                at = local(message.occurred_at)
                add(at, "after_hours", f"{at.weekday()} {at.hour:02}")
                asked = [
                    one
                    for one in said
                    if one.direction == "inbound" and timedelta() <= at - one.occurred_at <= timedelta(hours=12)
                ]
                add(at, "after_first", "customer" if asked else "employee")
            for mark in Inspection.objects.filter(message=message, stance__in=["refuse", "report"]):
                add(message.occurred_at, "credit", mark.stance)
    for alert in Alert.objects.select_related("at_message"):
        add(alert.opened_at, "alert", alert.kind)
        add(alert.opened_at, "channel", alert.at_message.channel)
        if alert.status == "closed" and alert.closed_at is not None:
            add(alert.closed_at, "handled", waited(alert.closed_at - alert.opened_at))
    return found


def waited(time: timedelta) -> str:
    return next((name for most, name in DURATIONS if time.total_seconds() <= most), "longer")


def kept() -> Counter[tuple[str, str, str]]:
    rows = Figure.objects.values_list("day", "measure", "part", "number")
    found: Counter[tuple[str, str, str]] = Counter()
    for day, measure, part, number in rows:
        found[day.isoformat(), measure, part] += number
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_figures_kept_step_by_step_equal_their_definition(db: None, steps: list[tuple[str, int, int]]) -> None:
    with database.rolled_back():
        life = Life()
        keeping.update("")
        keeping.update("", timezone.now() + keeping.OVERLAP)
        for kind, talk, minutes in steps:
            life.step(kind, life.talks[talk], life.base - timedelta(minutes=minutes))
        keeping.update("", timezone.now() + keeping.OVERLAP)

        assert kept() == defined()
        keeping.rebuild("")
        assert kept() == defined()
        assert list(keeping.differences("")) == []


def test_a_wrong_figure_is_found_and_mended(capsys: pytest.CaptureFixture[str]) -> None:
    life = Life()
    life.write("in", life.talks[0], life.base)
    call_command("contact_guard_figures", "update")
    Figure.objects.filter(measure="message").update(number=9)

    with pytest.raises(SystemExit):
        call_command("contact_guard_figures", "check")
    assert "message inbound: 9 instead of 1" in capsys.readouterr().out
    call_command("contact_guard_figures", "rebuild")
    call_command("contact_guard_figures", "check")
    assert "same" in capsys.readouterr().out
