"""Customers who write while nobody works get one polite answer, and still wait for the employee's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from crm_contact_guard import gateway, tasks
from crm_contact_guard.channels.email.inbound import read_mail
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.intake.events import take
from crm_contact_guard.policy.closing import options
from crm_contact_guard.policy.closing.models import AutoAnswer
from crm_contact_guard.policy.disturbing import may_disturb, undisturbed_until
from crm_contact_guard.policy.moments import moment_of
from crm_contact_guard.policy.working_time.quiet import Side
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.models import Alert, Finding
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.clock import Clock
from tests.mail_sink import Sink

pytestmark = pytest.mark.django_db

#: Tuesday, 22:00 in Tokyo.
NIGHT = datetime(2026, 11, 24, 13, tzinfo=UTC)


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    turn_on(settings, True)


def turn_on(settings: Any, options: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "AUTO_ANSWER": options}


def talk(clock: Clock, **more: Any) -> Conversation:
    clock.now = NIGHT
    branch = factories.team(head="sora")
    return factories.conversation(factories.employee("aoi", branch=branch, zone="Asia/Tokyo"), **more)


def write(conversation: Conversation, clock: Clock, text: str = "Is breakfast included?", **more: Any) -> Message:
    """The customer writes now, and the task runs, twice."""
    message = factories.received(text, conversation, occurred_at=clock.now, **more)
    tasks.inspect(str(message.pk))
    tasks.inspect(str(message.pk))
    return message


def answers(conversation: Conversation) -> list[Message]:
    return list(Message.objects.filter(conversation=conversation, source="auto").order_by("occurred_at"))


def test_the_customer_hears_when_somebody_answers(clock: Clock) -> None:
    conversation = talk(clock)
    write(conversation, clock)

    (sent,) = answers(conversation)
    assert "Wednesday, November 25, 09:00 (JST)" in str(sent.text)
    assert "automatic reply from Hotel Kaede" in str(sent.text)
    assert (sent.direction, sent.employee, sent.from_name) == ("outbound", None, "Hotel Kaede")
    assert Delivery.objects.get(message=sent).state == "queued"
    assert AutoAnswer.objects.get().opens_at == datetime(2026, 11, 25, 0, tzinfo=UTC)
    assert not verify().faults


def test_the_opening_is_in_the_customers_zone_and_language(clock: Clock) -> None:
    conversation = talk(clock)
    conversation.customer.language, conversation.customer.timezone = "ja", "Asia/Bangkok"
    conversation.customer.save()
    write(conversation, clock)

    text = str(answers(conversation)[0].text)
    assert "11月25日（水）07:00" in text
    assert "自動" in text


@pytest.mark.parametrize(
    ("said", "expected"),
    [("朝食は付きますか？", "自動"), ("Is breakfast included?", "automatic"), ("🙏", "automatic")],
)
def test_without_a_known_language_the_customers_script_decides(clock: Clock, said: str, expected: str) -> None:
    conversation = talk(clock)
    conversation.customer.language = ""
    conversation.customer.save()
    write(conversation, clock, said)

    assert expected in str(answers(conversation)[0].text)


def test_the_customer_still_waits_and_nothing_counts_as_the_employees(clock: Clock) -> None:
    conversation = talk(clock)
    write(conversation, clock)
    first_wrote_at = clock.now
    clock.forward(60)
    write(conversation, clock, "And is there a pool?")

    conversation.refresh_from_db()
    assert (conversation.waiting_since, conversation.unread) == (first_wrote_at, 2)
    assert len(answers(conversation)) == 1
    assert not Alert.objects.exists()
    assert not Finding.objects.exists()
    assert conversation.employee is not None
    answered_at = answers(conversation)[0].occurred_at
    moment = moment_of(conversation.employee, answered_at + timedelta(days=3), conversation=conversation)
    assert moment.first_by is Side.CUSTOMER
    assert not verify().faults


def test_the_employees_answer_ends_the_waiting(clock: Clock) -> None:
    conversation = talk(clock)
    write(conversation, clock)
    clock.now = NIGHT + timedelta(hours=11, minutes=30)
    assert conversation.employee is not None
    gateway.send(actor=conversation.employee, conversation=conversation, text="Yes, it is included.")

    conversation.refresh_from_db()
    assert (conversation.waiting_since, conversation.unread) == (None, 0)
    assert not verify().faults


def test_there_is_one_answer_per_closing_period(clock: Clock) -> None:
    conversation = talk(clock)
    for _hour in range(10):
        write(conversation, clock)
        clock.forward(timedelta(hours=1))
    assert len(answers(conversation)) == 1

    clock.now = NIGHT + timedelta(days=1)
    write(conversation, clock)
    assert len(answers(conversation)) == 2


def test_nobody_answers_automatically_while_a_colleague_works(clock: Clock) -> None:
    conversation = talk(clock)
    assert conversation.team is not None
    late = factories.employee("ren", zone="Asia/Tokyo", hours={"mon-fri": "18:00-24:00"})
    late.teams.add(conversation.team)
    write(conversation, clock)

    assert not answers(conversation)


def test_the_opening_is_that_of_the_first_colleague(clock: Clock) -> None:
    conversation = talk(clock)
    assert conversation.team is not None
    early = factories.employee("ren", zone="Asia/Tokyo", hours={"mon-fri": "06:00-12:00"})
    early.teams.add(conversation.team)
    write(conversation, clock)

    assert "06:00" in str(answers(conversation)[0].text)


def test_an_employee_who_is_writing_at_night_needs_no_answer(clock: Clock) -> None:
    conversation = talk(clock)
    assert conversation.employee is not None
    gateway.send(actor=conversation.employee, conversation=conversation, text="Good night", emergency=True)
    clock.forward(timedelta(minutes=5))
    write(conversation, clock)

    assert not answers(conversation)


def test_nothing_is_answered_by_default_late_or_while_open(clock: Clock, settings: Any) -> None:
    conversation = talk(clock)
    turn_on(settings, False)
    message = write(conversation, clock)
    turn_on(settings, True)
    clock.now = NIGHT + timedelta(hours=12)  # 10:00
    tasks.inspect(str(message.pk))
    clock.now = NIGHT + timedelta(days=1)  # the next night, after an outage
    tasks.inspect(str(message.pk))

    assert not answers(conversation)


def test_a_team_that_never_works_answers_once_a_week(clock: Clock) -> None:
    clock.now = NIGHT
    conversation = factories.conversation(factories.employee("aoi", hours={"mon": ""}))
    for day in (0, 1, 2, 8):
        clock.now = NIGHT + timedelta(days=day)
        write(conversation, clock)

    assert len(answers(conversation)) == 2
    assert "our next working day" in str(answers(conversation)[0].text)
    assert not verify().faults


def test_two_machines_that_answer_each_other_stop(clock: Clock) -> None:
    """The other one doesn't mark its answers, and opens a conversation each time."""
    conversation = talk(clock)
    for _number in range(9):
        again = factories.conversation_open(customer=conversation.customer, channel="chat")
        write(again, clock)

    assert AutoAnswer.objects.count() == 3


MAIL = (
    "From: Hanako <{sender}>\nTo: guests@kaede.example\nMessage-ID: <m@post.example>\n{head}Subject: {subject}\n\nHi\n"
)


def mailed(clock: Clock, head: str = "", sender: str = "h@post.example", envelope: str = "h@post.example") -> Message:
    talk(clock, channel="email", email="h@post.example")
    raw = MAIL.format(sender=sender, head=head, subject="Your stay").encode()
    for event in read_mail(raw, alias="email", envelope_from=envelope, envelope_to=["guests@kaede.example"]):
        take(event)
    message = Message.objects.get(direction="inbound")
    tasks.inspect(str(message.pk))
    return message


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: auto-generated\n",
        "Auto-Submitted: Auto-Replied; x=y\n",
        "Precedence: bulk\n",
        "Precedence: List\n",
        "List-Id: <news.post.example>\n",
        "LIST-UNSUBSCRIBE: <mailto:out@post.example>\n",
        "X-Auto-Response-Suppress: DR, OOF, AutoReply\n",
        "X-Autoreply: yes\n",
        "Return-Path: <>\n",
    ],
)
def test_machines_get_no_answer(clock: Clock, head: str) -> None:
    message = mailed(clock, head)

    assert not answers(message.conversation)


@pytest.mark.parametrize(
    "sender",
    [
        "no-reply@x.example",
        "DoNotReply@x.example",
        "noreply-1@x.example",
        "mailer-daemon@x.example",
        "a-request@x.example",
    ],
)
def test_addresses_that_no_person_reads_get_no_answer(clock: Clock, sender: str) -> None:
    message = mailed(clock, sender=sender, envelope=sender)

    assert not answers(message.conversation)


def test_a_null_return_path_gets_no_answer(clock: Clock) -> None:
    assert not answers(mailed(clock, envelope="").conversation)


def test_a_mail_is_answered_by_the_rules_for_automatic_mails(clock: Clock, settings: Any) -> None:
    message = mailed(clock, "Auto-Submitted: no\nDate: Tue, 24 Nov 2026 21:58:00 +0900\n")
    (sent,) = answers(message.conversation)
    with Sink() as sink:
        channels = settings.CONTACT_GUARD["CHANNELS"]
        own = {**channels["email"], "OPTIONS": {**channels["email"]["OPTIONS"], "PORT": sink.port}}
        factories.add_channels(settings, {"email": own})
        tasks.deliver(str(sent.pk))
        tasks.deliver(str(sent.pk))
        mail = sink.next_mail()
        assert sink.is_empty

    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["In-Reply-To"] == "<m@post.example>"
    assert mail["Subject"] == "Automatic reply: Your stay"
    assert mail["To"].addresses[0].addr_spec == "h@post.example"
    assert mail["X-Envelope-From"].startswith("reply+")


def test_an_opted_out_or_foreign_address_gets_no_answer(clock: Clock) -> None:
    conversation = talk(clock, channel="email", email="h@post.example")
    write(conversation, clock, channel="email", from_address="somebody@else.example")
    assert not answers(conversation)

    conversation.customer.addresses.update(opted_out_at=clock.now, opted_out_by="stop")
    write(conversation, clock, channel="email", from_address="h@post.example")
    assert not answers(conversation)


def test_a_carrier_that_charges_answers_only_if_the_company_says_so(clock: Clock, settings: Any) -> None:
    sms = {"BACKEND": "crm_contact_guard.channels.twilio.SmsChannel", "OPTIONS": {"FROM": "+815012345678"}}
    factories.add_channels(settings, {"sms": sms})
    conversation = talk(clock)
    conversation.customer.addresses.create(kind="phone", value="+819012345678", normalised="+819012345678")
    write(conversation, clock, channel="sms", from_address="+819012345678")
    assert not answers(conversation)

    turn_on(settings, {"CHANNELS": {"sms": {"TEXTS": {"en": "Closed until {opens}."}}}})
    write(conversation, clock, channel="sms", from_address="+819012345678")
    assert [sent.text for sent in answers(conversation)] == ["Closed until Wednesday, November 25, 09:00 (JST)."]


def test_the_companys_own_words_and_the_way_in_an_emergency(clock: Clock, settings: Any) -> None:
    turn_on(settings, {"TEXTS": {"en": "Back {opens}: {company} {x}"}, "EMERGENCY": {"en": "Call 03-6277-4810."}})
    conversation = talk(clock)
    write(conversation, clock)

    assert answers(conversation)[0].text == (
        "Back Wednesday, November 25, 09:00 (JST): Hotel Kaede {x}\n\nCall 03-6277-4810."
    )


def test_the_pages_say_that_it_is_automatic(clock: Clock, client: Client) -> None:
    conversation = talk(clock)
    write(conversation, clock)
    assert conversation.employee is not None
    client.force_login(conversation.employee.user)

    page = client.get(f"/guard/conversations/{conversation.pk}/").content.decode()
    assert page.count("Automatic reply") == 1
    inbox = client.get("/guard/inbox/").content.decode()
    assert "Is breakfast included?" in inbox


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("yes", "must be True, False or a dict"),
        ({"TEXT": {}}, "unknown key 'TEXT'"),
        ({"TEXTS": "Hello"}, "must map languages to texts"),
        ({"TEXTS": {"en": ""}}, "1 to 2000 characters"),
        ({"CHANNELS": {"fax": True}}, "no such channel"),
        ({"CHANNELS": {"chat": "yes"}}, "True, False or"),
        ({"CHANNELS": {"chat": {"TEXTS": {"en": " "}}}}, "1 to 2000 characters"),
    ],
)
def test_a_wrong_setting_is_named(settings: Any, value: Any, problem: str) -> None:
    turn_on(settings, value)

    assert any(problem in found for found in options.problems())


def test_employees_are_left_alone_until_opening(clock: Clock) -> None:
    employee = factories.employee("aoi", zone="Asia/Tokyo")
    opening = datetime(2026, 11, 25, 0, tzinfo=UTC)

    assert not may_disturb(employee, NIGHT)
    assert may_disturb(employee, NIGHT, emergency=True)
    assert may_disturb(employee, opening)
    assert undisturbed_until(employee, NIGHT) == opening
    assert undisturbed_until(employee, opening) == opening
