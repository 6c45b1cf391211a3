"""Alerts have a deadline in their addressee's working time: one reminder, then they are passed on once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard.conf import settings as ours
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.record.models import Event
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.supervision.alerts import alert_raise
from crm_contact_guard.supervision.handling import deadlines
from crm_contact_guard.supervision.handling.overdue import overdue_steps
from crm_contact_guard.supervision.handling.steps import alert_defer, alert_snooze, alert_wake
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_claim, alert_close, alert_reopen, alert_undo
from crm_contact_guard.supervision.standing_in.entering import absence_enter
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.clock import Clock
from tests.permissions.conftest import says, verdict

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def people(clock: Clock) -> dict[str, Employee]:
    """Chief and vice head the desk of Aoi. All work from 9:00 to 18:00, vice only from 13:00; it is Tuesday, 10:00."""
    desk = factories.team(head="chief", deputy="vice")
    factories.employee("aoi", branch=desk)
    factories.employee("mio", job="compliance")
    Employee.objects.update(working_hours={"mon-fri": "09:00-18:00"})
    Employee.objects.filter(name="Vice").update(working_hours={"mon-fri": "13:00-18:00"})
    return {person.name.lower(): person for person in Employee.objects.all()}


def raised(people: dict[str, Employee], name: str = "Hanako", *, serious: bool = False) -> Alert:
    talk = factories.conversation(people["aoi"], name=name)
    alert = alert_raise(conversation=talk, verdict=verdict(says(talk), **({"topic": "harassment"} if serious else {})))
    assert alert is not None
    return alert


def told(alert: Alert) -> list[str]:
    rows = Notice.objects.filter(topic="alert_overdue", subject_id=str(alert.pk), way="in_app").order_by("pk")
    return [row.employee.name for row in rows if row.employee is not None]


def due_in(alert: Alert) -> timedelta | None:
    alert.refresh_from_db()
    return alert.due_at - timezone.now() if alert.due_at is not None else None


def test_due_reminded_and_passed_on_once_each(people: dict[str, Employee], clock: Clock) -> None:
    serious, other = raised(people, "A", serious=True), raised(people, "B")
    assert due_in(serious) == 4 * HOUR
    assert due_in(other) == 31 * HOUR  # eight hours today and eight tomorrow, until 17:00
    clock.forward(4 * HOUR - timedelta(seconds=1))
    assert overdue_steps() == 0
    clock.forward(1)
    assert [overdue_steps(), overdue_steps()] == [1, 0]
    assert told(serious) == ["Chief"]
    clock.forward(4 * HOUR)  # 18:00, the end of the fourth hour after the reminder
    assert [overdue_steps(), overdue_steps()] == [1, 0]
    serious.refresh_from_db()
    assert (serious.addressee, serious.status, told(serious)) == (people["vice"], "open", ["Chief", "Vice"])
    # Vice works from 13:00: four hours from now are over tomorrow at 17:00.
    assert due_in(serious) == 23 * HOUR
    clock.forward(timedelta(days=9))
    overdue_steps()
    serious.refresh_from_db()
    assert (serious.addressee, told(serious)) == (people["vice"], ["Chief", "Vice"])  # no further step by itself
    events = Event.objects.filter(subject_id=str(serious.pk), actor_type="system")
    kinds = list(events.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["alert.opened", "alert.reminded", "alert.escalated"]
    seal()
    assert [str(one) for one in verify().faults if str(one).startswith("alert ")] == []


def test_a_deadline_follows_what_is_done_with_the_alert(people: dict[str, Employee], clock: Clock) -> None:
    chief = people["chief"]
    claimed, aside, closed = (raised(people, name, serious=True) for name in ("A", "B", "C"))
    alert_claim(alert_id=claimed.pk, reviewer=chief)
    assert due_in(claimed) == 4 * HOUR
    alert_defer(alert_id=aside.pk, reviewer=chief)
    assert due_in(aside) is None
    alert_close(alert_id=closed.pk, reviewer=chief, resolution="no_action")
    clock.forward(timedelta(minutes=5))
    alert_undo(alert_id=closed.pk, reviewer=chief)
    assert due_in(closed) == 4 * HOUR - timedelta(minutes=5)
    alert_close(alert_id=closed.pk, reviewer=chief, resolution="no_action")
    clock.forward(5 * HOUR)
    assert overdue_steps() == 1  # the claimed one
    alert_wake(alert_id=aside.pk, reviewer=chief)
    # 15:05: three hours less five minutes are left of today.
    assert due_in(aside) == 19 * HOUR  # 15 of them at night
    alert_reopen(alert_id=closed.pk, reviewer=chief, reason="Another look")
    assert due_in(closed) == due_in(aside)
    clock.forward(timedelta(days=1))
    overdue_steps()
    claimed.refresh_from_db()
    assert (claimed.status, claimed.claimed_by, claimed.addressee) == ("open", None, people["vice"])
    # An alert that is put aside is nobody's debt until it returns.
    alert_snooze(alert_id=aside.pk, reviewer=chief, until=timezone.now() + timedelta(days=8))
    clock.forward(timedelta(days=7))
    overdue_steps()
    assert told(aside) == ["Chief"]  # of the reminder on the day before

    # More evidence that makes an alert serious brings its deadline forward.
    milder = raised(people, "D")
    later = due_in(milder)
    talk = milder.conversation
    alert_raise(conversation=talk, verdict=verdict(says(talk), stance="accept", by="customer"))
    assert due_in(milder) == later

    # While chief is away, the hours are those of whoever stands in.
    today = timezone.localdate()
    absence_enter(actor=chief, person=chief.pk, stand_in=people["vice"].pk, first=today, last=today)
    lent = raised(people, "E", serious=True)
    assert lent.addressee == chief
    assert deadlines.worked_by(people["vice"], timezone.now(), 4 * HOUR) == lent.due_at


def test_deadlines_are_the_companys_choice() -> None:
    def with_(**chosen: object) -> object:
        with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "ALERT_DEADLINES": chosen}):
            return deadlines.allowed()

    now = timezone.now()
    assert with_(high=2, escalate=None) == {"high": 2, "medium": 16, "low": 16, "escalate": None}
    assert deadlines.due_at(3, None, now) == now + 4 * HOUR  # nobody's working time: around the clock
    for wrong in ({"High": 1}, {"high": 0}, {"high": "4"}, {"low": 401}, {"low": True}):
        with pytest.raises(ConfigurationError):
            with_(**wrong)
    for days in (-1, "7", None, 400):
        with (
            override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "ALERT_REOPEN_DAYS": days}),
            pytest.raises(ConfigurationError),
        ):
            deadlines.check()
    assert ours.ALERT_REOPEN_DAYS == 7
