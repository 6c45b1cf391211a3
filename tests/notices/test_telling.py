"""Who is told, when, and that nobody is told twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.notices import outbox
from crm_contact_guard.notices.models import Cadence, Notice
from crm_contact_guard.notices.preferences import Choice, preference_set
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.record.models import Event
from tests.clock import Clock
from tests.notices.conftest import AFTERNOON, Subjects, notify, verified

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _afternoon(clock: Clock, subjects: Subjects, by_default: None) -> None:
    clock.now = AFTERNOON


def rows() -> list[tuple[str, str, str]]:
    return [(row.topic, row.way, row.state) for row in Notice.objects.order_by("pk")]


def test_an_urgent_topic_is_shown_and_mailed_at_once(sora: Employee, clock: Clock) -> None:
    clock.now = AFTERNOON + timedelta(hours=8)  # 22:00
    [shown] = tell(topic="fire", subject=("thing", 1), people=[sora])

    assert rows() == [("fire", "in_app", "sent"), ("fire", "email", "queued")]
    assert (shown.employee, shown.sent_at, shown.read_at) == (sora, clock.now, None)
    assert Notice.objects.get(way="email").due_at == clock.now
    assert not verified()


def test_telling_again_has_no_effect(sora: Employee) -> None:
    for _again in range(3):
        tell(topic="fire", subject=("thing", 1), people=[sora, sora])
    assert len(rows()) == 2
    assert Event.objects.filter(kind="notice.queued").count() == 2

    tell(topic="thing", subject=("thing", 1), people=[sora])  # another topic tells about it once more
    tell(topic="fire", subject=("thing", 2), people=[sora])
    assert Notice.objects.filter(way="in_app").count() == 3


def test_who_has_left_is_not_told(sora: Employee) -> None:
    sora.active = False
    assert tell(topic="fire", subject=("thing", 1), people=[sora]) == []
    assert rows() == []


def test_an_unknown_topic_is_an_error(sora: Employee) -> None:
    with pytest.raises(KeyError):
        tell(topic="nonsense", subject=("thing", 1), people=[sora])


def test_a_topic_that_is_not_urgent_waits_for_the_next_working_day(sora: Employee, clock: Clock) -> None:
    for number in range(200):
        tell(topic="thing", subject=("thing", number), people=[sora])

    digest = Notice.objects.get(topic="digest")
    assert (digest.way, digest.state, digest.items.count()) == ("email", "queued", 200)
    assert digest.due_at == AFTERNOON + timedelta(hours=19)  # Friday, 9:00 in Tokyo
    assert outbox.due() == []
    assert not verified()


def test_a_delay_hides_a_notice_until_it_has_passed(sora: Employee, clock: Clock) -> None:
    tell(topic="fire", subject=("thing", 1), people=[sora], not_before=clock.now + timedelta(minutes=1))
    assert rows() == [("fire", "in_app", "queued"), ("fire", "email", "queued")]
    assert outbox.due() == []

    clock.forward(60)
    assert [outbox.notice_send(key) for key in outbox.due()] == [True, True]
    assert {state for _topic, _way, state in rows()} == {"sent"}


def test_a_delay_can_be_ended_or_the_notice_cancelled(sora: Employee, clock: Clock) -> None:
    for number in (1, 2):
        tell(topic="fire", subject=("thing", number), people=[sora], not_before=clock.now + timedelta(minutes=1))

    assert outbox.cancel("thing", 1)
    assert len(outbox.bring_forward("thing", 2)) == 2
    assert len(outbox.due()) == 2
    outbox.notice_send(outbox.due()[0])
    assert not outbox.cancel("thing", 2)
    assert Notice.objects.filter(subject_id="2").count() == 2
    assert not Notice.objects.filter(subject_id="1").exists()
    assert not verified()


def test_quiet_hours_hold_back_what_is_not_urgent(sora: Employee, clock: Clock) -> None:
    preference_set(actor=sora, topic="thing", chosen=Choice(cadence=Cadence.AT_ONCE))
    preference_set(actor=sora, topic="fire", chosen=Choice(cadence=Cadence.AT_ONCE, quiet=True))
    clock.now = AFTERNOON + timedelta(days=1, hours=8)  # Friday, 22:00
    monday = AFTERNOON + timedelta(days=4, hours=-5)

    tell(topic="thing", subject=("thing", 1), people=[sora])
    tell(topic="fire", subject=("thing", 2), people=[sora])
    assert {row.due_at for row in Notice.objects.filter(way="email")} == {monday}
    tell(topic="thing", subject=("thing", 3), people=[sora], now=True)
    assert Notice.objects.get(way="email", subject_id="3").due_at == clock.now


@pytest.mark.parametrize(
    ("cadence", "hours"),
    [(Cadence.HOURLY, 1), (Cadence.DAILY, 19), (Cadence.THRESHOLD, 19), (Cadence.WEEKLY, 4 * 24 - 5)],
)
def test_a_digest_is_due_as_its_person_chose(sora: Employee, cadence: str, hours: int) -> None:
    preference_set(actor=sora, topic="thing", chosen=Choice(cadence=cadence))
    tell(topic="thing", subject=("thing", 1), people=[sora])
    assert Notice.objects.get(topic="digest").due_at == AFTERNOON + timedelta(hours=hours)


def test_before_work_the_digest_is_due_the_same_morning(sora: Employee, clock: Clock) -> None:
    clock.now = AFTERNOON - timedelta(hours=7)  # 7:00
    tell(topic="thing", subject=("thing", 1), people=[sora])
    assert Notice.objects.get(topic="digest").due_at == AFTERNOON - timedelta(hours=5)


def test_several_within_the_chosen_time_are_sent_at_once(sora: Employee, clock: Clock) -> None:
    preference_set(actor=sora, topic="thing", chosen=Choice(cadence=Cadence.THRESHOLD, count=3, minutes=60))
    for number in range(4):
        tell(topic="thing", subject=("thing", number), people=[sora])
        clock.forward(timedelta(minutes=40))
    digest = Notice.objects.get(topic="digest")
    assert digest.due_at is not None
    assert digest.due_at > clock.now  # never three within an hour

    for number in range(4, 6):
        tell(topic="thing", subject=("thing", number), people=[sora])
    digest.refresh_from_db()
    assert digest.due_at == clock.now
    assert digest.items.count() == 6
    assert not verified()


def test_who_wants_no_mail_sees_it_in_the_app(sora: Employee) -> None:
    preference_set(actor=sora, topic="thing", chosen=Choice(cadence=Cadence.IN_APP))
    tell(topic="thing", subject=("thing", 1), people=[sora])
    assert rows() == [("thing", "in_app", "sent")]


def test_a_company_without_mail_shows_notices_in_the_app(sora: Employee) -> None:
    with notify(email=False):
        tell(topic="thing", subject=("thing", 1), people=[sora])
        tell(topic="fire", subject=("thing", 1), people=[sora])
    assert {way for _topic, way, _state in rows()} == {"in_app"}


def test_a_company_chooses_for_those_who_chose_nothing(sora: Employee, clock: Clock) -> None:
    clock.now = AFTERNOON + timedelta(hours=8)
    with notify(cadence={"thing": "at_once"}, quiet=False):
        tell(topic="thing", subject=("thing", 1), people=[sora])
        assert Notice.objects.get(way="email").due_at == clock.now
        preference_set(actor=sora, topic="thing", chosen=Choice(cadence=Cadence.IN_APP))
        tell(topic="thing", subject=("thing", 2), people=[sora])
    assert Notice.objects.filter(way="email").count() == 1


def test_impossible_hours_never_prevent_a_notice(sora: Employee) -> None:
    Employee.objects.filter(pk=sora.pk).update(working_hours={"mon": "never"}, role=Role.COMPLIANCE)
    sora.refresh_from_db()
    tell(topic="thing", subject=("thing", 1), people=[sora])
    assert Notice.objects.get(topic="digest").due_at == AFTERNOON + timedelta(hours=19)


def test_serious_alerts_and_the_first_other_one_are_told_at_once(mailoutbox: Any, clock: Clock) -> None:
    from tests import factories
    from tests.supervision.test_alert_windows import raised, says, verdict

    talk = factories.conversation(factories.employee("aoi", branch=factories.team(head="sora")))
    mild = raised(talk, verdict(says(talk), by="customer", stance="ask"))
    serious = raised(talk, verdict(says(talk), topic="harassment"))
    second = raised(talk, verdict(says(talk), topic="sensitive_data"))

    assert [alert.severity for alert in (mild, serious, second)] == [2, 3, 2]
    mailed = Notice.objects.filter(subject_type="alert", way="email")
    assert [row.subject_id for row in mailed.order_by("pk")] == [str(mild.pk), str(serious.pk)]
    assert [row.subject_id for row in Notice.objects.get(topic="digest").items.all()] == [str(second.pk)]


def test_a_day_later_the_next_alert_is_the_first_again(sora: Employee, clock: Clock) -> None:
    with notify(cadence={"thing": "first"}, quiet=False):
        for number, hours in enumerate((0, 23, 2)):
            clock.forward(timedelta(hours=hours))
            tell(topic="thing", subject=("thing", number), people=[sora])
            Notice.objects.filter(state="queued", topic="thing").update(state="sent")
            Notice.objects.filter(topic="digest").update(state="sent", created_at=clock.now - timedelta(days=1))
    assert [row.subject_id for row in Notice.objects.filter(way="email", topic="thing")] == ["0", "2"]
