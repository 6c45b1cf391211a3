"""Unusual reading: in bulk, of one's own name, of other teams and without a task, once a day, and quiet otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.record.access import record_unmask, record_view
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.supervision.quality.models import SampledTalk
from crm_contact_guard.supervision.watching.closing import evidence_of, reading_close
from crm_contact_guard.supervision.watching.looking import View, _fullest
from crm_contact_guard.supervision.watching.models import Sort, UnusualReading
from crm_contact_guard.supervision.watching.names import same_family, same_name
from crm_contact_guard.supervision.watching.noticing import readings_watch
from crm_contact_guard.supervision.watching.rights import may_judge, unusual_readings
from crm_contact_guard.supervision.watching.tasks_of import with_task
from crm_contact_guard.verification.projections import comparing
from crm_contact_guard.verification.report import Report
from tests import factories
from tests.clock import Clock
from tests.supervision.quality.draws import drawn

pytestmark = pytest.mark.django_db


def test_family_names() -> None:
    related = [
        ("佐藤 花子", "佐藤　太郎"), ("佐藤 花子", "佐藤太郎様"), ("佐藤花子", "佐藤太郎"), ("林 花", "林 太郎"),
        ("Hanako Sato", "Taro SATO"), ("Sato, Hanako", "Mr. Taro Sato"), ("Mary O'Brien", "John O'Brien"),
    ]  # fmt: skip
    strangers = [
        ("佐藤 花子", "佐々木 太郎"), ("林 花", "林田太郎"), ("佐藤 花子", "Taro Sato"), ("花子", "花子"),
        ("林太郎", "林次郎"),
        ("Hanako Sato", "Sato"), ("Hanako Sato", "Hanako Kato"), ("", "佐藤"), ("Unknown", "Unknown"),
    ]  # fmt: skip
    for one, other in related:
        assert same_family(one, other), (one, other)
        assert same_family(other, one), (one, other)
        assert not same_name(one, other)
    for one, other in strangers:
        assert not same_family(one, other), (one, other)
        assert not same_family(other, one), (one, other)
    assert same_name("佐藤 花子", "佐藤花子様")
    assert same_name("Hanako Sato", "SATO Hanako")


def test_the_fullest_hour() -> None:
    start, talks = timezone.now(), [uuid4() for _ in range(3)]

    def views(*minutes: tuple[int, int]) -> list[View]:
        made = [(start + timedelta(minutes=at), talks[number]) for at, number in minutes]
        return [View(uuid4(), at, talk, "conversation", unmasked=False) for at, talk in made]

    assert _fullest([]) == ()
    seen = views((0, 0), (5, 0), (66, 1), (70, 2), (200, 0))
    assert _fullest(seen) == seen[2:4]
    seen = views((0, 0), (1, 1), (59, 0), (62, 2))
    assert _fullest(seen) == seen[:2], "the first fullest hour"


@pytest.fixture
def house() -> dict[str, Any]:
    desk, hall = factories.team("Front desk", head="chief"), factories.team("Hall", head="boss")
    aoi, ren = factories.employee("aoi", branch=desk), factories.employee("ren", branch=hall)
    people = {name: factories.employee(name, job=name) for name in ("compliance", "auditor")}
    people |= {"kai": factories.employee("kai", job="compliance")}
    people |= {"chief": Employee.objects.get(email="chief@kaede.example"), "aoi": aoi, "ren": ren}
    Employee.objects.filter(pk=people["chief"].pk).update(name="佐藤 一郎")
    return {**people, "own": factories.conversation(aoi, name="Emma Wright"), "others": factories.conversation(ren)}


def more(employee: Employee, count: int) -> list[Conversation]:
    first = factories.conversation(employee, name="Customer 0")
    rows = []
    for number in range(1, count):
        customer = Customer.objects.create(name=f"Customer {number}", key=f"x{employee.pk}{number}")
        rows.append(conversation_open(customer=customer, channel="chat", employee=employee))
    return [first, *rows]


def altered() -> list[Any]:
    """What verification says about the rows."""
    report = Report()
    (declared,) = (one for one in comparing.tables() if one.model is UnusualReading)
    comparing.check("default", declared, report)
    return report.faults


def found() -> set[tuple[str, str, int, int]]:
    rows = UnusualReading.objects.values_list("reader__email", "sort", "severity", "times")
    return {(email.partition("@")[0], sort, severity, times) for email, sort, severity, times in rows}


def test_what_is_unusual_is_found_once_and_the_rest_is_quiet(house: dict[str, Any]) -> None:
    talks = more(house["aoi"], 42)
    for talk in talks:  # a supervisor who looks down the queue, and reads alerts
        record_view(viewer=house["chief"], conversation=talk, purpose="alerts")
        record_view(viewer=house["chief"], conversation=talk, purpose="alert", subject_id="1")
    for talk in talks[:4]:  # an officer's four spot checks
        record_view(viewer=house["kai"], conversation=talk, purpose="conversation")
    said = factories.recorded(house["others"], "Hello", occurred_at=timezone.now())
    finding = NewFinding(message=said, kind="harassment", start=0, end=1, score=0.9, detector="x", version="1")
    verdict = Verdict(topic="harassment", by="customer", stance="none", at=said, findings=[finding])
    alert_raise(conversation=house["others"], verdict=verdict)
    record_view(viewer=house["kai"], conversation=house["others"], purpose="conversation")
    assert readings_watch() == 0, "an alert led there"

    for talk in talks[:41]:
        record_view(viewer=house["compliance"], conversation=talk, purpose="api.messages")
    Customer.objects.filter(pk=house["own"].customer_id).update(name="佐藤花子")
    record_view(viewer=house["chief"], conversation=house["own"], purpose="conversation")
    strange = more(house["ren"], 1)[0]
    record_view(viewer=house["chief"], conversation=strange, purpose="conversation")

    assert readings_watch() == 4
    expected = {
        ("compliance", Sort.BULK, 2, 41),
        ("compliance", Sort.NO_TASK, 1, 41),
        ("chief", Sort.OWN_NAME, 2, 1),
        ("chief", Sort.OUTSIDE_TEAM, 2, 1),
    }
    assert found() == expected
    assert readings_watch() == 0, "nothing is found twice"
    told = Notice.objects.filter(topic="unusual_reading", way="in_app").values_list("employee__email", flat=True)
    officers = ["kai@kaede.example"] * 4 + ["compliance@kaede.example"] * 2
    assert sorted(told) == sorted(officers), "each officer, but nobody of what they read themselves"

    # More of the same day joins.
    record_unmask(viewer=house["compliance"], conversation=talks[41], reason="Just because")
    assert readings_watch() == 2
    assert ("compliance", Sort.NO_TASK, 2, 42) in found()
    assert UnusualReading.objects.count() == 4
    assert not altered()


def test_a_habit_is_not_unusual(clock: Clock, house: dict[str, Any], settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "READ_PER_HOUR": 2, "READ_WITHOUT_TASK": 0}
    talks = more(house["aoi"], 5)
    for talk in talks:
        record_view(viewer=house["auditor"], conversation=talk, purpose="conversation")
    assert readings_watch() == 1

    clock.forward(timedelta(days=2))
    for talk in talks:
        record_view(viewer=house["auditor"], conversation=talk, purpose="conversation")
    assert readings_watch() == 0


def test_who_reviews_at_random_has_a_task(house: dict[str, Any]) -> None:
    reader, talk = house["compliance"], house["others"]
    assert with_task(reader, [talk.pk], timezone.now()) == set()
    row = SampledTalk.objects.create(draw=drawn(tenant=""), conversation=talk)
    assert with_task(reader, [talk.pk], timezone.now()) == {talk.pk}
    SampledTalk.objects.filter(pk=row.pk).update(verdict="nothing", read_by=house["kai"])
    assert with_task(reader, [talk.pk], timezone.now()) == set(), "somebody else has read it"


def test_compliance_closes_it_but_never_the_reader(house: dict[str, Any]) -> None:
    for talk in more(house["aoi"], 5):
        record_view(viewer=house["compliance"], conversation=talk, purpose="conversation")
    readings_watch()
    row = UnusualReading.objects.get()

    for name in ("compliance", "auditor", "chief", "aoi"):
        assert not may_judge(house[name], row)
        with pytest.raises(NotPermitted):
            reading_close(reading_id=row.pk, reviewer=house[name], resolution="no_action", comment="Fine")
    assert not unusual_readings(house["compliance"]).exists()
    assert not unusual_readings(house["chief"]).exists()
    assert unusual_readings(house["auditor"]).get() == row
    for resolution, comment in (("noticed", "Fine"), ("no_action", " ")):
        with pytest.raises(InvalidMessage):
            reading_close(reading_id=row.pk, reviewer=house["kai"], resolution=resolution, comment=comment)
    for _ in range(2):
        reading_close(reading_id=row.pk, reviewer=house["kai"], resolution="no_action", comment="A spot check")
    with pytest.raises(AlreadyClosed):
        reading_close(reading_id=row.pk, reviewer=house["kai"], resolution="coaching", comment="Talked")
    assert Event.objects.get(kind="unusual_reading.closed").reason == "A spot check"
    assert len(evidence_of(row)) == 5
    assert readings_watch() == 0, "what was judged stays closed"

    # What is read afterwards opens it again.
    record_view(viewer=house["compliance"], conversation=house["own"], purpose="conversation")
    assert readings_watch() == 1
    row.refresh_from_db()
    assert (row.state, row.resolution, row.times) == ("open", "", 6)
    reading_close(reading_id=row.pk, reviewer=house["kai"], resolution="case_opened", comment="Again")
    row.refresh_from_db()
    assert row.case == Case.objects.get(concerned=house["compliance"], sort="conduct", opened_by=house["kai"])
    assert not altered()
