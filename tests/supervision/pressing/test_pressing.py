"""A customer who doesn't take no for an answer: noticed over days, channels and conversations, and not too soon."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm_contact_guard import gateway
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.models import Alert, Finding
from crm_contact_guard.supervision.pressing.rule import presses
from crm_contact_guard.supervision.titles import alert_title
from crm_contact_guard.verification.whole_record import verify
from tests import factories

DAY = factories.office_time()
ASK = "LINE交換しませんか？ID: hanako_22"
AGAIN = "そう言わずに、LINE教えてくださいよ"
NO = "申し訳ございませんが、個人の連絡先の交換はいたしかねます。ご連絡は、いつでもこちらにお寄せください。"


@pytest.fixture
def talk(db: None) -> Conversation:
    factories.employee("mio", job="compliance")
    return factories.conversation(factories.employee("aoi", branch=factories.team(head="sora", deputy="yui")))


def asks(talk: Conversation, text: str, minutes: float, **more: Any) -> Message:
    message = factories.received(text, talk, occurred_at=DAY + timedelta(minutes=minutes), **more)
    inspection.inspect(message)
    return message


def declines(talk: Conversation, minutes: float, text: str = NO) -> Message:
    assert talk.employee is not None
    at = DAY + timedelta(minutes=minutes)
    message = gateway.send(actor=talk.employee, conversation=talk, text=text, channel="chat", occurred_at=at).message
    assert message is not None
    inspection.inspect(message)
    return message


def pressing() -> list[Message]:
    found = Finding.objects.filter(detector="policy.pressing").select_related("message")
    return [finding.message for finding in found.order_by("message__occurred_at")]


def test_asking_again_after_a_refusal_is_an_alert_and_opens_a_consultation(talk: Conversation) -> None:
    asks(talk, ASK, 0)
    declines(talk, 5)
    again = asks(talk, AGAIN, 60)

    assert pressing() == [again]
    alert = Alert.objects.get(by="customer")
    assert (alert.kind, alert.topic) == ("repeated_contact", "off_channel")
    assert "Aoi" in alert_title(alert)
    row = Consultation.objects.get()
    assert (row.origin, row.employee, row.addressee) == ("repeated_contact", talk.employee, alert.addressee)
    assert str(again.pk) in row.messages
    assert Finding.objects.filter(pk__in=row.findings, kind="repeated_contact", message=again).exists()
    assert not Alert.objects.filter(by="employee").exists()
    assert verify().faults == []


def test_a_week_later_in_another_conversation_counts(talk: Conversation) -> None:
    asks(talk, ASK, 0)
    declines(talk, 5)
    other = conversation_open(customer=talk.customer, channel="chat", employee=talk.employee)

    again = asks(other, ASK, 7 * 24 * 60)

    assert pressing() == [again]


@pytest.mark.parametrize(
    ("story", "why"),
    [
        ([("ask", 0), ("ask", 30)], "nobody declined"),
        ([("ask", 0), ("no", 5), ("ask", 6)], "written before the refusal was read"),
        ([("no", 0), ("ask", 60)], "asked once only"),
        ([("ask", 0), ("no", 5), ("thanks", 60)], "took it well"),
        ([("ask", 0), ("no", 5), ("ask", 15 * 24 * 60)], "long ago"),
    ],
)
def test_what_is_no_pressing(talk: Conversation, story: Sequence[tuple[str, int]], why: str) -> None:
    for what, minutes in story:
        if what == "no":
            declines(talk, minutes)
        else:
            asks(talk, ASK if what == "ask" else "わかりました。ありがとうございます。", minutes)

    assert pressing() == [], why
    assert not Consultation.objects.exists()


def test_inspecting_twice_changes_nothing(talk: Conversation) -> None:
    asks(talk, ASK, 0)
    declines(talk, 5)
    again = asks(talk, AGAIN, 60)
    before = Finding.objects.count(), Event.objects.filter(subject_type="consultation").count()

    inspection.inspect(again)

    assert (Finding.objects.count(), Event.objects.filter(subject_type="consultation").count()) == before


def test_an_insult_opens_one_and_further_ones_join_it(talk: Conversation) -> None:
    first = asks(talk, "お前みたいな馬鹿は死ね。殺すぞ。", 0)
    second = asks(talk, "この無能が。土下座しろ、殺すぞ。", 30)

    row = Consultation.objects.get()
    assert row.origin == "harassment"
    assert set(row.messages) >= {str(first.pk)}
    assert str(second.pk) in row.messages


def test_a_past_message_that_is_inspected_again_by_command_opens_none(talk: Conversation) -> None:
    said = factories.received("お前みたいな馬鹿は死ね。殺すぞ。", talk, occurred_at=DAY)

    inspection.inspect(said, notify=False)

    assert not Consultation.objects.exists()


NIGHT = 15 * 60  # 01:00 in Tokyo


@pytest.mark.parametrize(
    ("texts", "minutes", "opened"),
    [
        (["今すぐ返事して", "なんで返事しないの", "無視するな", "起きてますか", "早く電話して"], NIGHT, True),
        (["Answer me!", "Why don't you reply?", "Right now!", "Hello?", "I am waiting"], NIGHT, True),
        (["今すぐ返事して", "なんで返事しないの", "無視するな", "起きてますか", "早く電話して"], 60, False),
        (["今すぐ返事して", "なんで返事しないの"], NIGHT, False),
        (["到着は明日の9時です", "朝食は和食で", "駐車場も", "お願いします", "早くしてほしいです"], NIGHT, False),
    ],
)
def test_many_demands_at_night(talk: Conversation, texts: list[str], minutes: int, opened: bool) -> None:
    for number, text in enumerate(texts):
        asks(talk, text, minutes + number * 3)

    assert [row.origin for row in Consultation.objects.all()] == (["night_demands"] if opened else [])
    assert not Alert.objects.filter(topic="after_hours").exists()


def test_who_works_at_night_is_not_asked(talk: Conversation) -> None:
    Employee.objects.filter(pk=talk.employee_id).update(working_hours={"mon-sun": "00:00-24:00"})

    for number in range(6):
        asks(talk, "今すぐ返事して", NIGHT + number * 3)

    assert not Consultation.objects.exists()


# --- a second rule, written differently


def _slowly(at: datetime, asks: list[datetime], refusals: list[datetime], times: int, pause: timedelta) -> bool:
    """Try every chain of asks that are a pause apart, the last being ``at``."""
    for refusal in refusals:
        before = any(ask <= refusal for ask in asks)
        after = [ask for ask in asks if refusal < ask < at]
        for size in range(len(after) + 1):
            for chain in itertools.combinations(sorted(after), size):
                whole = [refusal, *chain, at]
                if all(b - a >= pause for a, b in itertools.pairwise(whole)) and before + len(chain) + 1 >= times:
                    return True
    return False


def test_both_rules_agree_on_random_talks() -> None:
    draw, pressed = random.Random(13), 0
    for _ in range(3000):
        asked = [DAY + timedelta(minutes=draw.randrange(0, 60)) for _ in range(draw.randrange(6))]
        refused = [DAY + timedelta(minutes=draw.randrange(0, 60)) for _ in range(draw.randrange(3))]
        at, times = DAY + timedelta(minutes=60), draw.randrange(1, 5)
        pause = timedelta(minutes=draw.choice([1, 10, 25]))
        found = presses(at=at, asks=asked, refusals=refused, times=times, pause=pause)
        slow = _slowly(at, asked, refused, times, pause)
        assert bool(found) == slow, (asked, refused, times, pause)
        pressed += slow
    assert 500 < pressed < 2500
