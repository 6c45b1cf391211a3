"""Limits on a customer's contact: what they change, what they never change, and that they end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm_contact_guard import gateway, permissions, tasks
from crm_contact_guard.conversations.identity import customer_identify
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.conversations.restrictions.restricting import (
    LONGEST,
    conversation_reassign,
    restriction_impose,
    restriction_lift,
)
from crm_contact_guard.conversations.restrictions.standing import of_customer, undisturbed
from crm_contact_guard.directory.models import Customer, Employee, Team
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.policy import restriction_notices
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.verification.whole_record import verify
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> dict[str, Employee]:
    branch = factories.team(head="sora", deputy="yui")
    for name in ("aoi", "ken"):
        factories.employee(name, branch=branch)
    factories.employee("ren", branch=factories.team("Hall", head="boss"))
    for name in ("compliance", "auditor"):
        factories.employee(name, job=name)
    return {row.name.lower(): row for row in Employee.objects.all()}


@pytest.fixture
def talk(people: dict[str, Employee]) -> Conversation:
    return factories.conversation(people["aoi"], email="hanako@post.example")


def limit(talk: Conversation, kind: str, **more: Any) -> Restriction:
    given = {"reason": "Insults every day", "ends_at": timezone.now() + timedelta(days=30), **more}
    given.setdefault("imposed_by", Employee.objects.get(name="Sora"))
    return restriction_impose(conversation=talk, kind=kind, **given)


def inbox(people: dict[str, Employee]) -> list[Conversation]:
    aoi = people["aoi"]
    return list(undisturbed(permissions.own_conversations(aoi), aoi.tenant))


def says(talk: Conversation, text: str, **more: Any) -> Message:
    return factories.received(text, talk, **{"occurred_at": timezone.now(), **more})


def test_a_blocked_customer_is_recorded_and_disturbs_nobody_until_the_end(
    people: dict[str, Employee], talk: Conversation, clock: Any
) -> None:
    other = conversation_open(customer=talk.customer, channel="chat", employee=people["aoi"])
    row = limit(talk, "block")
    said = says(talk, "You useless thing")

    assert said.text == "You useless thing"
    talk.refresh_from_db()
    assert talk.unread == 1
    assert inbox(people) == []
    assert talk in permissions.conversations(people["sora"])
    assert verify().faults == []

    clock.forward(timedelta(days=31))
    assert set(inbox(people)) == {talk, other}
    assert of_customer(talk.customer) == []
    assert row.review_at < row.ends_at


def test_a_limit_ends_early_by_hand(people: dict[str, Employee], talk: Conversation) -> None:
    row = limit(talk, "block")
    for _ in range(2):
        restriction_lift(restriction_id=row.pk, lifted_by=people["sora"], reason="He apologised")

    assert inbox(people) == [talk]
    events = Event.objects.filter(subject_type="restriction", subject_id=str(row.pk)).order_by("pk")
    assert [(event.kind, event.reason) for event in events] == [
        ("restriction.imposed", "Insults every day"),
        ("restriction.lifted", "He apologised"),
    ]
    assert verify().faults == []


def test_only_so_many_messages_a_day_disturb(people: dict[str, Employee], talk: Conversation, clock: Any) -> None:
    limit(talk, "rate", per_day=2)
    for text in ("One", "Two"):
        says(talk, text)
    assert inbox(people) == [talk]

    says(talk, "Three")
    assert inbox(people) == []

    clock.forward(timedelta(days=1))
    assert inbox(people) == [talk]


def test_one_channel_remains(people: dict[str, Employee], talk: Conversation) -> None:
    limit(talk, "channel", channel="email")
    assert inbox(people) == []

    says(talk, "Answer!", channel="email", from_address="hanako@post.example")
    assert inbox(people) == [talk]
    with pytest.raises(InvalidMessage, match="another channel"):
        gateway.send(actor=people["aoi"], conversation=talk, text="Good morning", channel="chat")
    assert gateway.send(actor=people["aoi"], conversation=talk, text="Good morning", channel="email").message


def test_the_name_is_hidden_from_then_on(people: dict[str, Employee], talk: Conversation, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "COMPANY_NAME": "Kaede Hotel"}
    before = factories.sent(talk, "Good morning", "chat")
    limit(talk, "hide_name")
    after = factories.sent(talk, "Your room is ready", "chat")

    assert (before.from_name, after.from_name) == ("Aoi", "Kaede Hotel")
    assert after.employee == people["aoi"]
    assert restriction_notices.due() == []


def test_the_customer_is_told_once_in_their_language(talk: Conversation, settings: Any) -> None:
    settings.CONTACT_GUARD = {
        **settings.CONTACT_GUARD,
        "COMPANY_NAME": "Kaede Hotel",
        "PROTECTION": {"EMERGENCY": {"en": "In an emergency call 03-0000-0000.", "ja": "緊急時は03-0000-0000へ"}},
    }
    row = limit(talk, "block", ends_at=timezone.now() + timedelta(days=30))

    assert restriction_notices.due() == [row.pk]
    for _ in range(2):
        tasks.restriction_tell(str(row.pk))

    told = Message.objects.get(direction="outbound")
    assert "We are not able to answer" in (told.text or "")
    assert "In an emergency call 03-0000-0000." in (told.text or "")
    assert (told.from_name, told.employee, told.delivery.state) == ("Kaede Hotel", None, "queued")
    assert restriction_notices.due() == []
    row.refresh_from_db()
    assert row.notice == told
    assert verify().faults == []

    Customer.objects.filter(pk=talk.customer_id).update(language="ja")
    row.conversation.refresh_from_db()
    assert "お返事を差し上げることができません" in restriction_notices.notice_text(row)


def test_who_can_not_be_told_is_named(talk: Conversation) -> None:
    Conversation.objects.filter(pk=talk.pk).update(channel="gone")
    row = limit(talk, "rate", per_day=1)

    assert restriction_notices.restriction_tell(row.pk) is None

    kinds = Event.objects.filter(subject_id=str(row.pk)).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["restriction.imposed", "restriction.not_told"]
    assert restriction_notices.due() == []


def test_a_limit_follows_an_unknown_sender_who_is_identified(people: dict[str, Employee]) -> None:
    unknown = Customer.objects.create(name="Unknown")
    stranger = conversation_open(customer=unknown, channel="chat", employee=people["aoi"], team=Team.objects.first())
    limit(stranger, "block")
    known = factories.customer("Emma Wright", manager=people["aoi"])

    customer_identify(conversation=stranger, customer=known, actor=None)

    assert [row.kind for row in of_customer(known)] == ["block"]
    assert inbox(people) == []


def test_a_new_limit_of_a_kind_replaces_the_old(talk: Conversation) -> None:
    limit(talk, "rate", per_day=5)
    limit(talk, "rate", per_day=2)

    assert [row.per_day for row in of_customer(talk.customer)] == [2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "prison"},
        {"reason": " "},
        {"reason": "x" * 501},
        {"ends_at": timezone.now() - timedelta(days=1)},
        {"ends_at": timezone.now() + LONGEST + timedelta(days=1)},
        {"review_at": timezone.now() + timedelta(days=60)},
        {"kind": "rate"},
        {"kind": "rate", "per_day": 0},
        {"kind": "channel", "channel": "pigeon"},
    ],
)
def test_bad_input_limits_nothing(talk: Conversation, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage):
        limit(talk, **{"kind": "block", **wrong})

    assert not Restriction.objects.exists()


@pytest.mark.parametrize("who", ["aoi", "ken", "ren", "boss", "auditor"])
def test_only_heads_and_compliance_decide(people: dict[str, Employee], talk: Conversation, who: str) -> None:
    row = limit(talk, "block")

    for act in (
        lambda: limit(talk, "hide_name", imposed_by=people[who]),
        lambda: restriction_lift(restriction_id=row.pk, lifted_by=people[who], reason="Mine"),
        lambda: conversation_reassign(
            conversation=talk, reassigned_by=people[who], reason="Mine", employee=people["ken"]
        ),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert [one.kind for one in of_customer(talk.customer)] == ["block"]


def test_a_conversation_goes_to_a_colleague_or_a_team(people: dict[str, Employee], talk: Conversation) -> None:
    says(talk, "Hello")
    conversation_reassign(conversation=talk, reassigned_by=people["sora"], reason="Pressing", employee=people["ken"])
    talk.refresh_from_db()
    assert talk.employee == people["ken"]
    assert talk.customer.owner == people["aoi"]
    assert inbox(people) == []

    conversation_reassign(
        conversation=talk, reassigned_by=people["compliance"], reason="Pressing", team=people["ken"].teams.get()
    )
    assert inbox(people) == [talk]
    for wrong in (
        {},
        {"employee": people["auditor"]},
        {"employee": people["ken"], "team": talk.team},
    ):
        with pytest.raises(InvalidMessage):
            conversation_reassign(conversation=talk, reassigned_by=people["sora"], reason="Pressing", **wrong)
    assert verify().faults == []
