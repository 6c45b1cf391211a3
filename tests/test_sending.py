"""What passing a door leaves behind: the row, the events, the conversation's state, and what is asked for later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as project
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.detection.types import Scan, Stance
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.policy.decision import WITHOUT_WORDS, Action, Override, OverrideCode
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.supervision.models import Inspection
from tests import factories

pytestmark = pytest.mark.django_db

GIVES = "個人のLINEは aoi_private です。こちらにどうぞ"
WORDS = Override(code=OverrideCode.OTHER, text="The guest asked for the shop's own account.")
NIGHT = factories.office_time() + timedelta(hours=13)
PAPER = FileIn(name="menu.txt", content_type="text/plain", content=b"Breakfast is served from 7 to 10")


@pytest.fixture
def talk(clerk: Employee) -> Conversation:
    return factories.conversation(clerk, email="hanako@gmail.com")


@pytest.fixture
def strict() -> Iterator[None]:
    """An industry that lets nothing private out, and asks after hours."""
    with override_settings(CONTACT_GUARD={**project.CONTACT_GUARD, "INDUSTRY": "finance"}):
        yield


def send(talk: Conversation, text: str = "Your room is ready.", **more: Any) -> gateway.Sent:
    given = {"actor": talk.employee, "occurred_at": factories.office_time(), **more}
    return gateway.send(conversation=talk, text=text, **given)


def sent(talk: Conversation, text: str = "Your room is ready.", **more: Any) -> Message:
    message = send(talk, text, **more).message
    assert message is not None
    return Message.objects.get(pk=message.pk)


def told(kind: str) -> list[tuple[str, str, dict[str, Any], str | None]]:
    """Of what, by whom, what, and in which words, of all events of a kind."""
    rows = Event.objects.filter(kind__startswith=kind).order_by("recorded_at", "pk")
    return [(row.subject_type, row.subject_id, {"kind": row.kind, **json.loads(row.data)}, row.reason) for row in rows]


# --- out


def test_what_is_sent_is_recorded_with_who_to_whom_and_when(clerk: Employee, talk: Conversation) -> None:
    message = sent(talk, channel="email", subject="Your stay")

    assert (message.direction, message.channel, message.text) == ("outbound", "email", "Your room is ready.")
    assert (message.employee, message.conversation, message.customer) == (clerk, talk, talk.customer)
    assert (message.from_name, message.to_name, message.to_address) == ("Aoi", "Hanako Sato", "hanako@gmail.com")
    assert (message.subject, message.details, message.files) == ("Your stay", None, None)
    assert message.occurred_at == factories.office_time()
    assert message.events.get().kind == "delivery.queued"
    assert Delivery.objects.get(message=message).state == "queued"


def test_a_chat_has_neither_subject_nor_address_and_goes_by_the_channel_used_last(talk: Conversation) -> None:
    message = sent(talk)

    assert (message.channel, message.subject, message.to_address) == ("chat", None, None)


def test_without_a_time_it_is_now(talk: Conversation) -> None:
    before = timezone.now()

    message = sent(talk, occurred_at=None)

    assert before <= message.occurred_at <= timezone.now()


def test_delivery_and_inspection_follow_the_commit(
    talk: Conversation, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        message = sent(talk)
        assert Delivery.objects.get(message=message).attempts == 0

    assert Delivery.objects.get(message=message).attempts == 1
    assert Inspection.objects.filter(message=message).exists()


def test_an_answer_ends_the_waiting(talk: Conversation) -> None:
    at = factories.office_time()
    Conversation.objects.filter(pk=talk.pk).update(unread=2, waiting_since=at, last_message_at=at)
    talk.refresh_from_db()

    sent(talk, channel="email", occurred_at=at + timedelta(minutes=5))

    for state in (talk, Conversation.objects.get(pk=talk.pk)):
        assert (state.unread, state.waiting_since, state.channel) == (0, None, "email")
        assert state.last_message_at == at + timedelta(minutes=5)


def test_who_answers_first_takes_an_unassigned_talk(clerk: Employee, talk: Conversation) -> None:
    colleague = factories.employee("ken")
    colleague.teams.set(clerk.teams.all())
    assert talk.team is not None
    Conversation.objects.filter(pk=talk.pk).update(employee=None)
    talk.refresh_from_db()

    sent(talk, actor=colleague)

    assert Conversation.objects.get(pk=talk.pk).employee == colleague
    with pytest.raises(NotPermitted):
        send(talk, actor=clerk)


# --- asked, and gone on


def test_a_nudge_keeps_the_decision_and_no_message(clerk: Employee, talk: Conversation) -> None:
    looked = send(talk, GIVES)

    assert (looked.message, looked.decision.action, looked.repeated) == (None, Action.NUDGE, False)
    assert looked.scan.findings
    [(of, key, data, reason)] = told("decision")
    assert (of, key, reason) == ("conversation", str(talk.pk), None)
    assert (data["kind"], data["decision"], data["reasons"]) == ("decision.nudge", "nudge", ["attempt"])
    assert {found["kind"] for found in data["findings"]} == {found.kind.value for found in looked.scan.findings}
    event = Event.objects.get(kind__startswith="decision.")
    assert (event.actor_type, event.actor, event.conversation, event.message) == ("employee", str(clerk.pk), talk, None)
    assert not Message.objects.exists()


def test_going_on_keeps_the_decision_and_the_words(clerk: Employee, talk: Conversation) -> None:
    message = sent(talk, GIVES, override=WORDS)

    [(of, key, data, _reason)] = told("decision")
    assert (of, key, data["decision"]) == ("message", str(message.pk), "nudge")
    assert told("override") == [("message", str(message.pk), {"kind": "override.other"}, WORDS.text)]
    assert {event.actor for event in message.events.exclude(kind="delivery.queued")} == {str(clerk.pk)}


def test_words_that_nobody_asked_for_are_not_kept(talk: Conversation) -> None:
    sent(talk, override=WORDS)

    assert told("override") == told("decision") == []


@pytest.mark.parametrize("text", ["", "  \n"])
@pytest.mark.parametrize("code", [code for code in OverrideCode if code not in WITHOUT_WORDS])
def test_going_on_takes_a_few_words(talk: Conversation, code: OverrideCode, text: str) -> None:
    with pytest.raises(InvalidMessage, match="few words") as caught:
        send(talk, GIVES, override=Override(code=code, text=text))

    assert caught.value.field == "override"
    assert not Message.objects.exists()


def test_an_emergency_needs_no_words_and_is_kept_once(talk: Conversation) -> None:
    message = sent(talk, GIVES, override=Override(code=OverrideCode.EMERGENCY), emergency=True)

    assert told("override") == [("message", str(message.pk), {"kind": "override.emergency"}, None)]


def test_an_emergency_keeps_the_words_that_went_with_it(talk: Conversation) -> None:
    words = Override(code=OverrideCode.EMERGENCY, text="The guest has fallen.")

    sent(talk, GIVES, override=words, emergency=True)

    assert [reason for _of, _key, _data, reason in told("override")] == ["The guest has fallen."]


def test_what_is_blocked_stays_here_whatever_the_words(talk: Conversation, strict: None) -> None:
    for more in ({}, {"override": WORDS}):
        assert send(talk, GIVES, **more).decision.action is Action.BLOCK

    assert not Message.objects.exists()
    assert [data["kind"] for _of, _key, data, _reason in told("decision")] == ["decision.block"] * 2


def test_an_emergency_is_open_even_where_the_text_would_be_blocked(talk: Conversation, strict: None) -> None:
    message = sent(talk, GIVES, emergency=True)

    kinds = [data["kind"] for _of, key, data, _reason in told("") if key == str(message.pk)]
    assert kinds == ["decision.deliver", "override.emergency", "delivery.queued"]
    assert told("decision")[0][2]["reasons"] == ["attempt"]


def test_after_hours_is_asked_about_and_an_emergency_goes_out(talk: Conversation, strict: None) -> None:
    asked = send(talk, occurred_at=NIGHT)
    assert (asked.message, asked.decision.reasons) == (None, ("after_hours",))

    urgent = sent(talk, occurred_at=NIGHT, emergency=True)

    assert [data["kind"] for _of, key, data, _reason in told("") if key == str(urgent.pk)] == [
        "override.emergency", "delivery.queued",
    ]  # fmt: skip


def test_the_strictest_rule_decides_and_every_reason_is_told(talk: Conversation, strict: None) -> None:
    asked = send(talk, GIVES, occurred_at=NIGHT)

    assert (asked.decision.action, asked.decision.reasons) == (Action.BLOCK, ("attempt", "after_hours"))


def test_where_the_company_lets_it_out_the_decision_is_kept_all_the_same(talk: Conversation) -> None:
    rules = {**project.CONTACT_GUARD, "RULES": {"attempt": "deliver"}}
    with override_settings(CONTACT_GUARD=rules):
        message = sent(talk, GIVES)

    [(of, key, data, _reason)] = told("decision")
    assert (of, key, data["kind"], data["reasons"]) == ("message", str(message.pk), "decision.deliver", ["attempt"])


# --- the same again


def test_a_repeated_key_gives_the_first_message_and_does_nothing(talk: Conversation) -> None:
    first = send(talk, idempotency_key="k")
    events = Event.objects.count()

    again = send(talk, idempotency_key="k")

    assert (again.message, again.repeated, first.repeated) == (first.message, True, False)
    assert (again.decision.action, again.decision.reasons, again.files) == (Action.DELIVER, (), ())
    assert again.scan == Scan(attempt=False, by=None, stance=Stance.NONE, score=0.0)
    assert (Message.objects.count(), Event.objects.count()) == (1, events)


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "Something else"},
        {"channel": "email"},
        {"subject": "Your stay"},
        {"attachments": [PAPER]},
        {"conversation": None},
    ],
)
def test_a_key_stands_for_one_message(clerk: Employee, talk: Conversation, changed: dict[str, Any]) -> None:
    given = {"actor": clerk, "conversation": talk, "text": "Hello", "idempotency_key": "k" * 300}
    gateway.send(**given)
    if "conversation" in changed:
        changed = {"conversation": factories.conversation(clerk, name="Robert King")}

    with pytest.raises(InvalidMessage, match="Idempotency-Key") as caught:
        gateway.send(**{**given, **changed})

    assert caught.value.field == "Idempotency-Key"
    assert gateway.send(**given).repeated
    assert Message.objects.count() == 1


def test_a_key_with_the_same_file_is_the_same_message_and_another_name_is_not(talk: Conversation) -> None:
    sent(talk, attachments=[PAPER], idempotency_key="k")

    assert send(talk, attachments=[PAPER], idempotency_key="k").repeated
    renamed = FileIn(name="other.txt", content_type=PAPER.content_type, content=PAPER.content)
    with pytest.raises(InvalidMessage, match="Idempotency-Key"):
        send(talk, attachments=[renamed], idempotency_key="k")


def test_another_key_is_another_message(talk: Conversation) -> None:
    messages = [sent(talk, idempotency_key="a"), sent(talk, "Something else", idempotency_key="b"),
                sent(talk, idempotency_key="c")]  # fmt: skip

    assert len(set(messages)) == 3
    assert send(talk, "Something else", idempotency_key="b").message == messages[1]


def test_a_key_is_its_senders_own_and_no_key_repeats_nothing(clerk: Employee, talk: Conversation) -> None:
    ken = factories.employee("ken")
    other = factories.conversation(ken, name="Robert King")

    messages = [sent(talk, idempotency_key="k"), sent(other, idempotency_key="k"), sent(talk), sent(talk)]

    assert len(set(messages)) == 4
