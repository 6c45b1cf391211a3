"""A customer marks a message as urgent: those on call hear of it at once, everybody else stays undisturbed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from crm_contact_guard import tasks
from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices import topics
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.policy.calendars.storing import calendar_store
from crm_contact_guard.policy.closing import urgent
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.clock import Clock
from tests.console.conftest import url

pytestmark = pytest.mark.django_db

#: Tuesday, 22:00 in Tokyo.
NIGHT = datetime(2026, 11, 24, 13, tzinfo=UTC)
ON_CALL = {"on_call": [["2026-11-24T20:00", "2026-11-25T06:00"]]}
WORDS = {"en": ["emergency", "locked out"], "ja": ["緊急", "至急"], "fr": ["à l'aide"]}


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    answers = {"EMERGENCY": {"en": "Call 03-6277-4810."}}
    more = {"AUTO_ANSWER": answers, "URGENT": {"BUTTON": True, "WORDS": WORDS}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, **more}


@pytest.fixture
def talk(clock: Clock) -> Conversation:
    clock.now = NIGHT
    branch = factories.team(head="sora")
    return factories.conversation(factories.employee("aoi", branch=branch, zone="Asia/Tokyo"))


def person(name: str) -> Employee:
    return Employee.objects.get(name=name.title())


def put_on_call(name: str) -> None:
    owner = person(name)
    calendar_store(tenant=owner.tenant, owner=owner, source="page", calendar=ON_CALL, version=0)


def colleague(talk: Conversation, name: str = "ren") -> Employee:
    assert talk.team is not None
    found = factories.employee(name, zone="Asia/Tokyo")
    found.teams.add(talk.team)
    return found


def write(talk: Conversation, clock: Clock, text: str = "This is an EMERGENCY!", **more: Any) -> Message:
    message = factories.received(text, talk, occurred_at=clock.now, **more)
    tasks.inspect(str(message.pk))
    tasks.inspect(str(message.pk))
    return message


def told() -> set[str]:
    return {
        notice.employee.name.lower()
        for notice in Notice.objects.filter(topic="emergency").select_related("employee")
        if notice.employee is not None
    }


def answers(talk: Conversation) -> list[str]:
    rows = Message.objects.filter(conversation=talk, source="auto").order_by("occurred_at")
    return [str(row.text) for row in rows]


def send_notices() -> None:
    for notice in Notice.objects.filter(state=Notice.State.QUEUED):
        tasks.notify(str(notice.pk))


def test_the_employee_on_call_is_told_at_once_and_the_customer_hears_it(talk: Conversation, clock: Clock) -> None:
    put_on_call("aoi")
    write(talk, clock)
    send_notices()

    assert told() == {"aoi"}
    assert [letter.to for letter in mail.outbox] == [["aoi@kaede.example"]]
    assert "EMERGENCY" not in mail.outbox[0].body
    (answer,) = answers(talk)
    assert "We have told somebody who is on call." in answer
    assert "Call 03-6277-4810." in answer
    assert not verify().faults


def test_the_supervisor_is_told_if_nobody_is_on_call_and_the_customer_gets_the_way(
    talk: Conversation, clock: Clock
) -> None:
    write(talk, clock)
    send_notices()

    assert told() == {"sora"}
    assert [letter.to for letter in mail.outbox] == [["sora@kaede.example"]]
    (answer,) = answers(talk)
    assert "Nobody is on call at the moment." in answer
    assert "Wednesday, November 25, 09:00 (JST)" in answer
    assert answer.endswith("Call 03-6277-4810.")
    assert not verify().faults


def test_a_colleague_on_call_hears_no_names_and_the_supervisor_is_told_too(talk: Conversation, clock: Clock) -> None:
    ren = colleague(talk)
    put_on_call("ren")
    message = write(talk, clock)

    assert told() == {"ren", "sora"}
    line = topics.lines("emergency", ren, [str(message.pk)])[str(message.pk)]
    assert "Hanako" not in line.text
    assert line.path == "/guard/inbox/"
    line = topics.lines("emergency", person("sora"), [str(message.pk)])[str(message.pk)]
    assert line.text == "Hanako Sato has marked a message as urgent"
    assert "on call" in answers(talk)[0]


def test_an_employee_at_work_is_told_and_no_answer_is_sent(talk: Conversation, clock: Clock) -> None:
    clock.now = NIGHT + timedelta(hours=14)  # Wednesday, 12:00
    write(talk, clock)

    assert told() == {"aoi"}
    assert not answers(talk)


def test_nobody_is_told_of_an_ordinary_message(talk: Conversation, clock: Clock) -> None:
    put_on_call("aoi")
    write(talk, clock, "Is breakfast included?")

    assert not told()
    assert not Event.objects.filter(kind="emergency.told").exists()


def test_nothing_is_marked_by_default(talk: Conversation, clock: Clock, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "URGENT": {}}
    message = write(talk, clock)

    assert message.details is None
    assert not told()


def test_people_are_told_once_an_hour(talk: Conversation, clock: Clock) -> None:
    put_on_call("aoi")
    first = write(talk, clock)
    late = None
    for _number in range(5):
        clock.forward(timedelta(minutes=10))
        late = write(talk, clock)
    assert Event.objects.filter(kind="emergency.told").count() == 1
    assert len(answers(talk)) == 1

    clock.forward(timedelta(minutes=11))
    write(talk, clock)
    # Inspected once more, for example after a file came: neither is told again.
    for message in (first, late):
        assert message is not None
        tasks.inspect(str(message.pk))
    assert Event.objects.filter(kind="emergency.told").count() == 2
    assert len(answers(talk)) == 2
    assert not verify().faults


def test_an_urgent_message_is_answered_after_an_ordinary_one(talk: Conversation, clock: Clock) -> None:
    write(talk, clock, "Is breakfast included?")
    clock.forward(timedelta(minutes=5))
    write(talk, clock)

    ordinary, urgent_one = answers(talk)
    assert "Nobody is on call" not in ordinary
    assert "Nobody is on call" in urgent_one


def test_a_message_that_is_found_a_day_later_wakes_nobody(talk: Conversation, clock: Clock) -> None:
    message = factories.received("Emergency", talk, occurred_at=clock.now)
    clock.forward(timedelta(days=1))
    tasks.inspect(str(message.pk))

    assert not told()


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("It is an emergency.", True),
        ("EMERGENCY:help", True),
        ("Ｅｍｅｒｇｅｎｃｙ", True),
        ("em\u200bergency", True),
        ("The emergencyexit is nice", False),
        ("nonemergency", False),
        ("I am locked out", True),
        ("locked outside", False),
        ("至急お願いします", True),
        ("これはemergencyです", True),
        ("À l'aide", True),
        ("", False),
    ],
)
def test_words_mark_a_message(text: str, marks: bool) -> None:
    assert (urgent.URGENT in urgent.marked({}, text)) is marks


@pytest.mark.parametrize("details", [{"auto_submitted": "auto-generated"}, {"no_automatic_reply": "list"}])
def test_machines_wake_nobody(details: dict[str, str]) -> None:
    assert urgent.marked(details, "emergency") == details


def test_the_subject_counts_too() -> None:
    assert urgent.marked({}, "Emergency", "I wrote it above.")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("yes", "must be a dict"),
        ({"WORD": {}}, "unknown key 'WORD'"),
        ({"BUTTON": "yes"}, "True or False"),
        ({"WORDS": ["fire"]}, "map languages"),
        ({"WORDS": {"en": "fire"}}, "must be a list"),
        ({"WORDS": {"en": ["x"]}}, "2 to 60 characters"),
        ({"WORDS": {"en": ["\u200b\u200b"]}}, "2 to 60 characters"),
        ({"WORDS": {"en": ["fire"] * 101}}, "at most 100 words"),
    ],
)
def test_a_wrong_setting_is_named(settings: Any, value: Any, problem: str) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "URGENT": value}

    assert any(problem in found for found in urgent.problems())


def test_the_chat_offers_the_button_and_both_sides_see_the_mark(talk: Conversation, clock: Clock, client: Any) -> None:
    assert talk.employee is not None
    _link, token = chat_link_create(conversation=talk, created_by=talk.employee)
    page = client.get(url("chat_enter", token), follow=True).content.decode()
    assert "This is urgent" in page
    form = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("form_token", "key")}
    client.post(url("chat_page"), {**form, "text": "The tap is broken"})
    client.post(url("chat_page"), {**form, "text": "The tap is broken", "urgent": "1"})

    plain, marked = Message.objects.filter(conversation=talk, direction="inbound").order_by("pk")
    assert (plain.details, marked.details) == (None, '{"urgent":"button"}')
    assert client.get(url("chat_page")).content.decode().count("Marked as urgent") == 1
    client.force_login(talk.employee.user)
    staff = client.get(f"/guard/conversations/{talk.pk}/").content.decode()
    assert staff.count("Marked as urgent by the customer") == 1


def test_without_the_setting_there_is_no_button_and_a_forged_one_marks_nothing(
    talk: Conversation, clock: Clock, client: Any, settings: Any
) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "URGENT": {}}
    assert talk.employee is not None
    _link, token = chat_link_create(conversation=talk, created_by=talk.employee)
    page = client.get(url("chat_enter", token), follow=True).content.decode()
    form = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("form_token", "key")}
    client.post(url("chat_page"), {**form, "text": "Hello", "urgent": "1"})

    assert "This is urgent" not in page
    assert Message.objects.get(direction="inbound").details is None
