"""The employees' desk: done, put aside, handed over, drafts, and who else is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from crm_contact_guard.conversations.desk import drafts, meanwhile, presence, shelving, standing
from crm_contact_guard.conversations.desk.handing_over import conversation_hand_over
from crm_contact_guard.conversations.desk.models import Draft
from crm_contact_guard.conversations.desk.thanks import only_thanks
from crm_contact_guard.directory.mirror import employee_for
from crm_contact_guard.directory.mirror_people import mirror_teams
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.verification.whole_record import verify
from tests import factories

#: Services whose refusals are tested here, all in one world.
SERVICES: dict[str, Callable[[Conversation, Employee, Employee], object]] = {
    "conversations.desk.shelving.conversation_done": lambda talk, who, _to: shelving.conversation_done(
        conversation=talk, actor=who
    ),
    "conversations.desk.shelving.conversation_undone": lambda talk, who, _to: shelving.conversation_undone(
        conversation=talk, actor=who
    ),
    "conversations.desk.shelving.conversation_snooze": lambda talk, who, _to: shelving.conversation_snooze(
        conversation=talk, actor=who, until=timezone.now() + timedelta(hours=3)
    ),
    "conversations.desk.shelving.conversation_wake": lambda talk, who, _to: shelving.conversation_wake(
        conversation=talk, actor=who
    ),
    "conversations.desk.handing_over.conversation_hand_over": lambda talk, who, to: conversation_hand_over(
        conversation=talk, actor=who, to=to
    ),
    "conversations.desk.drafts.draft_keep": lambda talk, who, _to: drafts.draft_keep(
        conversation=talk, actor=who, text="Dear"
    ),
}


@pytest.fixture
def desk(db: None) -> dict[str, Employee]:
    front, hall = factories.team("Front desk", head="chief"), factories.team("Hall", head="boss")
    made = {name: factories.user(name, branch=front) for name in ("aoi", "ken")}
    made |= {"ren": factories.user("ren", branch=hall)}
    made |= {name: factories.user(name, job=name) for name in ("compliance", "auditor")}
    mirror_teams()
    return {name: employee_for(user) for name, user in made.items()} | {
        person.name.lower(): person for person in Employee.objects.filter(name__in=("Chief", "Boss"))
    }


def listed(condition: object) -> bool:
    return Conversation.objects.filter(condition).exists()


def faults() -> list[str]:
    return [str(fault) for fault in verify().faults if str(fault).startswith("conversation")]


def says(talk: Conversation, text: str) -> Message:
    return factories.received(text, talk, occurred_at=timezone.now())


def test_only_who_answers_acts_and_every_act_is_recorded(desk: dict[str, Employee]) -> None:
    talk = factories.conversation(desk["aoi"])
    for name, act in SERVICES.items():
        for who in set(desk) - {"aoi"}:
            with pytest.raises(NotPermitted):
                act(talk, desk[who], desk["ken"])
        before = Event.objects.count(), Draft.objects.count()
        act(talk, desk["aoi"], desk["ken"])
        if name.endswith("hand_over"):
            conversation_hand_over(conversation=talk, actor=desk["ken"], to=desk["aoi"])
        talk.refresh_from_db()
        assert (Event.objects.count(), Draft.objects.count()) != before, name


def test_done_and_put_aside_until_the_customer_says_more_than_thanks(desk: dict[str, Employee]) -> None:
    aoi, talk = desk["aoi"], factories.conversation(desk["aoi"])
    asked = says(talk, "Is the pool open?")

    shelving.conversation_done(conversation=talk, actor=aoi)
    talk.refresh_from_db()
    assert (talk.waiting_since, talk.unread) == (None, 0)
    assert listed(standing.done())
    assert not listed(standing.undone())
    assert faults() == []
    shelving.conversation_undone(conversation=talk, actor=aoi)
    talk.refresh_from_db()
    assert (talk.waiting_since, talk.unread) == (asked.occurred_at, 1)
    shelving.conversation_done(conversation=talk, actor=aoi)
    says(talk, "And the sauna?")
    assert listed(standing.undone())

    shelving.conversation_snooze(conversation=talk, actor=aoi, until=timezone.now() + timedelta(days=1))
    says(talk, "ありがとうございます！")
    assert listed(standing.snoozed(timezone.now()))
    assert Event.objects.filter(kind="conversation.snoozed_again").count() == 1
    assert listed(standing.back(timezone.now() + timedelta(days=2)))
    assert faults() == []
    says(talk, "Until when, please?")
    assert not listed(standing.snoozed(timezone.now()))
    says(talk, "Thanks")
    assert not listed(standing.snoozed(timezone.now()))
    for hours in (-1, 24 * 400):
        with pytest.raises(InvalidMessage):
            shelving.conversation_snooze(conversation=talk, actor=aoi, until=timezone.now() + timedelta(hours=hours))
    assert faults() == []

    Conversation.objects.update(waiting_since=None, unread=0, done_at=None, snoozed_until=None)
    assert listed(standing.lively(timezone.now()))
    assert listed(standing.quiet(timezone.now() + timedelta(days=31)))
    assert not listed(standing.lively(timezone.now() + timedelta(days=31)))
    thanks = ("了解です。よろしくお願いします。", "Great, thanks.", "はい、ありがとうございます")
    more = ("Thanks! Is it open?", "ありがとうございます。写真を送ってください", "ok, 9 am", "")
    assert [only_thanks(text) for text in (*thanks, *more)] == [True] * 3 + [False] * 4


def test_drafts_are_the_writers_own_and_go_with_the_customer(desk: dict[str, Employee]) -> None:
    aoi, ken = desk["aoi"], desk["ken"]
    talk = factories.conversation(aoi)
    says(talk, "Hello?")
    drafts.draft_keep(conversation=talk, actor=aoi, text="Dear Ms Sato")
    drafts.draft_keep(conversation=talk, actor=aoi, text="Dear Ms Sato,")

    assert [drafts.draft_of(talk, who) for who in (aoi, ken)] == ["Dear Ms Sato,", ""]
    erase_messages(Message.objects.all(), basis="request")
    assert not Draft.objects.exists()
    drafts.draft_keep(conversation=talk, actor=aoi, text="Dear")
    drafts.draft_keep(conversation=talk, actor=aoi, text=" ")
    assert not Draft.objects.exists()
    drafts.draft_keep(conversation=talk, actor=aoi, text="Dear")
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=91))
    assert drafts.forget_old() == 1


def test_colleagues_see_each_other_and_what_came_in_between(desk: dict[str, Employee]) -> None:
    aoi, ken = desk["aoi"], desk["ken"]
    talk = factories.conversation(aoi)
    Conversation.objects.update(employee=None)
    talk.refresh_from_db()
    first = says(talk, "Hello?")

    presence.looks(talk, ken, typing=False)
    presence.looks(talk, ken, typing=True)
    assert presence.others(talk, aoi) == [presence.Other("Ken", typing=True)]
    assert presence.others(talk, ken) == []
    presence.stopped_typing(talk, ken)
    assert presence.others(talk, aoi) == [presence.Other("Ken", typing=False)]

    assert meanwhile.newest(talk) == str(first.pk)
    assert meanwhile.since(talk, str(first.pk), aoi) == []
    second = says(talk, "Never mind.")
    assert meanwhile.since(talk, str(first.pk), aoi) == [second]
    assert meanwhile.since(talk, "x", aoi) == []


def test_what_was_done_and_is_put_aside_waits_as_before_when_it_comes_back(desk: dict[str, Employee]) -> None:
    talk = factories.conversation(desk["aoi"])
    asked = says(talk, "Is breakfast included?").occurred_at
    shelving.conversation_done(conversation=talk, actor=desk["aoi"])

    shelving.conversation_snooze(conversation=talk, actor=desk["aoi"], until=timezone.now() + timedelta(hours=3))

    talk.refresh_from_db()
    assert (talk.done_at, talk.waiting_since) == (None, asked)
    assert not faults()
