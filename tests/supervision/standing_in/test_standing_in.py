"""While a supervisor is away, whoever stands in sees, is told and may act; before, afterwards and elsewhere not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Absence, Employee, Team
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.policy.hours import zone
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.sending import holds
from crm_contact_guard.supervision.alerts import alert_raise
from crm_contact_guard.supervision.cases.opening import case_open
from crm_contact_guard.supervision.consulting.opening import consultation_open
from crm_contact_guard.supervision.handling import steps
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_claim, alert_close
from crm_contact_guard.supervision.routing import addressee
from crm_contact_guard.supervision.standing_in.entering import absence_end, absence_enter, leave_ahead
from crm_contact_guard.supervision.standing_in.returning import claims_return
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.clock import Clock
from tests.permissions.conftest import says, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(clock: Clock) -> dict[str, Employee]:
    """Chief and vice head the desk of Aoi and Ken; boss heads the hall of Ren; two officers."""
    desk, hall = factories.team("Front desk", head="chief", deputy="vice"), factories.team("Hall", head="boss")
    for name in ("aoi", "ken"):
        factories.employee(name, branch=desk)
    factories.employee("ren", branch=hall)
    for name in ("mio", "rin"):
        factories.employee(name, job="compliance")
    factories.employee("auditor", job="auditor")
    return {person.name.lower(): person for person in Employee.objects.all()}


def raised(talk: Conversation) -> Alert:
    alert = alert_raise(conversation=talk, verdict=verdict(says(talk)))
    assert alert is not None
    return alert


def away(people: dict[str, Employee], who: str, stand_in: str, *, after: int = 0, days: int = 3) -> Absence:
    first = timezone.localdate() + timedelta(days=after)
    last = first + timedelta(days=days - 1)
    return absence_enter(actor=people[who], person=people[who].pk, stand_in=people[stand_in].pk, first=first, last=last)


def may(act: Callable[[], object]) -> bool:
    try:
        act()
    except NotPermitted:
        return False
    return True


def rights(people: dict[str, Employee], alert: Alert, held: object, who: str) -> dict[str, bool]:
    """What somebody may see and do, found by trying."""
    person = people[who]
    talk = alert.conversation
    return {
        "alert": permissions.alerts(person).filter(pk=alert.pk).exists(),
        "findings": permissions.findings(person).filter(alert=alert).exists(),
        "conversation": permissions.conversations(person).filter(pk=talk.pk).exists(),
        "queue": permissions.is_supervising(person),
        "holds": permissions.holds(person).exists(),
        "snoozes": may(lambda: steps.alert_defer(alert_id=alert.pk, reviewer=person)),
        "wakes": may(lambda: steps.alert_wake(alert_id=alert.pk, reviewer=person)),
    }


def test_a_stand_in_has_the_rights_for_that_time_and_that_team_only(people: dict[str, Employee], clock: Clock) -> None:
    talk = factories.conversation(people["aoi"])
    alert, held = raised(talk), factories.held(talk)
    others = raised(factories.conversation(people["ren"], name="Jiro"))
    everything = dict.fromkeys(rights(people, alert, held, "chief"), True)
    nothing = dict.fromkeys(everything, False) | {"queue": True}  # boss has a team
    assert rights(people, alert, held, "boss") == nothing

    absence = away(people, "chief", "boss", after=1)
    assert rights(people, alert, held, "boss") == nothing
    clock.now = absence.starts_at - timedelta(seconds=1)
    assert rights(people, alert, held, "boss") == nothing
    clock.forward(1)
    assert rights(people, alert, held, "boss") == everything
    assert rights(people, alert, held, "chief") == everything  # who is away loses nothing
    assert not permissions.alerts(people["chief"]).filter(pk=others.pk).exists()
    assert not permissions.alerts(people["ken"]).exists()
    alert_claim(alert_id=alert.pk, reviewer=people["boss"])
    assert claims_return() == 0
    with pytest.raises(NotPermitted):
        holds.hold_approve(actor=people["ken"], message_id=held.pk)
    holds.hold_approve(actor=people["boss"], message_id=held.pk)

    clock.now = absence.ends_at
    with pytest.raises(NotPermitted):
        alert_close(alert_id=alert.pk, reviewer=people["boss"], resolution="no_action")
    assert not permissions.alerts(people["boss"]).filter(pk=alert.pk).exists()
    # What the stand-in left claimed would block everybody else.
    assert [claims_return(), claims_return()] == [1, 0]
    alert_close(alert_id=alert.pk, reviewer=people["chief"], resolution="no_action")
    seal()
    assert [str(one) for one in verify().faults if str(one).startswith(("alert ", "absence ", "notice "))] == []


def test_notices_go_to_the_stand_in_and_never_where_nobody_may_read_them(people: dict[str, Employee]) -> None:
    def told(of: str, name: str) -> list[str]:
        Notice.objects.all().update(read_at=timezone.now())
        alert = raised(factories.conversation(people[of], name=name))
        rows = Notice.objects.filter(subject_type="alert", subject_id=str(alert.pk), way="in_app")
        return sorted(row.employee.name for row in rows if row.employee is not None)

    assert told("aoi", "A") == ["Chief"]
    away(people, "chief", "ken")
    [notice] = Notice.objects.filter(topic="standing_in", way="in_app")
    assert notice.employee == people["ken"]
    assert told("aoi", "B") == ["Ken"]
    assert Alert.objects.latest("pk").addressee == people["chief"]
    # About the stand-in: to the deputy. About the supervisor: the stand-in whom she chose doesn't judge that.
    assert told("ken", "C") == ["Vice"]
    assert told("chief", "D") == ["Vice"]
    concerning = Alert.objects.filter(concerned__in=[people["ken"], people["chief"]])
    assert not (permissions.alerts(people["ken"]) & concerning).exists()
    assert permissions.alerts(people["vice"]).filter(pk__in=concerning).count() == 2
    with pytest.raises(NotPermitted):
        case_open(actor=people["ken"], sort="conduct", concerned=people["chief"])
    asked = consultation_open(conversation=factories.conversation(people["chief"], name="E"), actor=people["chief"])
    assert not permissions.consultations(people["ken"]).filter(pk=asked.pk).exists()

    away(people, "vice", "mio")
    away(people, "mio", "rin")
    # Vice's stand-in is absent as well, so the alert goes to compliance, and there to the stand-in.
    assert told("ken", "F") == ["Rin"]
    assert addressee(factories.conversation(people["aoi"], name="G")) == people["chief"]


def test_only_whom_it_concerns_enters_and_ends_absences(people: dict[str, Employee], clock: Clock) -> None:
    today = timezone.localdate()
    week = [today + timedelta(days=3), today + timedelta(days=5)]
    leave = [[day.isoformat() for day in week], ["2027-03-01", "2027-03-02"], ["2026-03-01", "2026-03-02"]]
    people["chief"].calendar = {"leave": leave}
    assert [first.month for first, _last in leave_ahead(people["chief"])] == [11, 3]

    def enter(actor: str, person: str = "chief", stand_in: str = "ken", first: int = 0, last: int = 0) -> str:
        days = {"first": today + timedelta(days=first), "last": today + timedelta(days=last)}
        try:
            absence_enter(actor=people[actor], person=people[person].pk, stand_in=people[stand_in].pk, **days)
        except NotPermitted:
            return "no"
        except InvalidMessage as error:
            return error.field or ""
        return "entered"

    for actor in ("aoi", "ken", "vice", "boss", "auditor"):
        assert enter(actor) == "no", actor
    assert enter("aoi", person="aoi") == "no"  # has no duties of supervision
    assert enter("chief", stand_in="chief") == "stand_in"
    assert enter("chief", stand_in="auditor") == "stand_in"
    assert enter("mio", person="mio", stand_in="chief") == "stand_in"  # would see all teams
    assert enter("chief", first=-1) == "first"
    assert enter("chief", first=2, last=1) == "last"
    assert enter("chief", first=1, last=400) == "last"
    assert enter("chief", first=3, last=5) == "entered"
    assert enter("mio", first=5, last=9) == "first"  # overlaps
    assert enter("mio", first=6, last=9) == "entered"
    assert enter("vice", person="vice", stand_in="chief", first=5, last=5) == "stand_in"  # is away then
    assert [row.ends_at.astimezone(zone(people["chief"])).hour for row in Absence.objects.all()] == [0, 0]

    assert [first.month for first, _last in leave_ahead(people["chief"])] == [3]

    first, second = Absence.objects.order_by("starts_at")
    for actor in ("aoi", "vice", "boss", "auditor"):
        with pytest.raises(NotPermitted):
            absence_end(actor=people[actor], absence_id=first.pk)
    absence_end(actor=people["ken"], absence_id=first.pk)  # whoever stands in may decline
    absence_end(actor=people["mio"], absence_id=second.pk)
    absence_end(actor=people["mio"], absence_id=second.pk)
    assert Event.objects.filter(kind="absence.ended").count() == 2
    told = Notice.objects.filter(subject_type="absence_end", way="in_app")
    assert {(row.subject_id, row.employee_id) for row in told} == {
        (str(first.pk), people["chief"].pk),
        (str(second.pk), people["chief"].pk),
        (str(second.pk), people["ken"].pk),
    }
    clock.now = first.starts_at + timedelta(hours=1)
    assert not Team.objects.filter(pk__in=permissions.watched_teams(people["ken"])).exists()
    seal()
    assert [str(one) for one in verify().faults if str(one).startswith(("alert ", "absence ", "notice "))] == []
