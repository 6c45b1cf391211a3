"""Which address of a customer is written to, which is not and why, and what the record keeps of a word about it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel, ContactEvent, ContactKind
from crm_contact_guard.delivery import consent
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.directory.models import Address, Customer
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.record.models import Conversation, Event, Message
from tests import factories

pytestmark = pytest.mark.django_db

NOW = timezone.now()
HOME, WORK = "hanako@home.example", "hanako@work.example"


def email() -> Channel:
    return registry.channel("email")


@pytest.fixture
def talk() -> Conversation:
    return factories.conversation(factories.employee("aoi"), email=f"{HOME}, {WORK}", channel="email")


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def row(value: str = HOME) -> Address:
    return Address.objects.get(normalised=value)


def stopped(value: str, reason: str = "stop", minutes: float = 5) -> None:
    Address.objects.filter(normalised=value).update(opted_out_at=ago(minutes), opted_out_by=reason)


def says(kind: ContactKind, address: str = HOME, *, minutes: float = 1, **more: Any) -> int:
    event = ContactEvent(
        channel="email", event_id=uuid4().hex, address=address, kind=kind, occurred_at=ago(minutes), **more
    )
    return consent.contact_changed(event)


def written(talk: Conversation, to: str | None = HOME) -> Message:
    return factories.recorded(talk, "Hello", direction="outbound", channel="email", occurred_at=NOW, to_address=to)


# --- which


def test_the_first_address_that_may_be_written_to_is_taken(talk: Conversation) -> None:
    customer = talk.customer
    customer.addresses.create(kind="phone", value="+819012345678", normalised="+819012345678", position=0)
    assert consent.address_for(customer, email()) == row(HOME)
    stopped(HOME)
    assert consent.address_for(customer, email()) == row(WORK)
    Address.objects.filter(normalised=WORK).update(dropped=True)
    assert consent.address_for(customer, email()) is None


def test_another_customers_address_is_no_ones_to_write_to(talk: Conversation) -> None:
    stranger = factories.customer("Robert King")

    assert consent.address_for(stranger, email()) is None


def test_why_somebody_can_not_be_written_to_is_said(talk: Conversation) -> None:
    customer = talk.customer
    assert consent.refusal(customer, email()) == ""
    stopped(HOME, "bounce", minutes=9)
    assert consent.refusal(customer, email()) == "", "the other one is left"
    stopped(WORK, "unsubscribe", minutes=3)
    assert consent.refusal(customer, email()).endswith("the address unsubscribed.")
    stopped(HOME, "complaint", minutes=1)
    assert consent.refusal(customer, email()).endswith("the address reported a message as unwanted.")
    Address.objects.filter(normalised=HOME).update(dropped=True)
    assert consent.refusal(customer, email()).endswith("the address unsubscribed.")
    Address.objects.filter(normalised=WORK).update(opted_out_by="")
    assert consent.refusal(customer, email()).endswith("the address was opted out.")
    assert consent.refusal(factories.customer("Robert King"), email()) == "Robert King has no address for E-mail."
    assert consent.refusal(factories.customer("Emma Wright"), registry.channel("chat")) == ""


def test_what_waits_is_held_back_by_a_word_about_its_own_address(talk: Conversation) -> None:
    message = written(talk, "Hanako@Home.example")
    assert consent.withdrawn(message, email()) == ""
    stopped(WORK)
    assert consent.withdrawn(message, email()) == ""
    stopped(HOME)
    assert consent.withdrawn(message, email()) == "opted out: stop"
    stopped(HOME, "")
    assert consent.withdrawn(message, email()) == "opted out: unknown"
    assert consent.withdrawn(message, registry.channel("chat")) == ""
    assert consent.withdrawn(written(talk, None), email()) == ""


def test_another_customers_word_holds_back_nothing_of_this_one(talk: Conversation) -> None:
    message = written(talk)
    other = factories.customer("Robert King", email="robert@king.example")
    other.addresses.create(kind="email", value=HOME, normalised=HOME, opted_out_at=NOW, opted_out_by="stop", position=9)

    assert consent.withdrawn(message, email()) == ""


# --- what is kept of a word


@pytest.mark.parametrize("kind", list(ContactKind))
def test_a_word_is_recorded_with_who_said_it_when_and_how(talk: Conversation, kind: ContactKind) -> None:

    assert says(kind, HOME.upper(), minutes=7, detail={"words": "as the carrier says"}) == 1

    event = Event.objects.get(kind=f"contact.{kind.value}")
    assert (event.subject_type, event.subject_id) == ("address", str(row().pk))
    assert (event.conversation, event.tenant, event.occurred_at) == (talk, talk.tenant, ago(7))
    assert event.actor_type == ("carrier" if kind in ("bounce", "complaint") else "customer")
    assert json.loads(event.data) == {"channel": "email"}
    assert json.loads(event.details or "") == {"address": HOME.upper(), "words": "as the carrier says"}
    assert row().opted_out_by == ("" if kind.allows else kind.value)
    assert row().opted_out_at == (None if kind.allows else ago(7))
    assert row(WORK).opted_out_at is None


def test_an_empty_address_is_nobodys(talk: Conversation) -> None:
    assert says(ContactKind.STOP, " ") == 0
    assert says(ContactKind.FOLLOW, " ") == 0

    assert not Address.objects.exclude(opted_out_at=None).exists()
    assert Customer.objects.count() == 1
    assert Event.objects.filter(subject_type="channel", kind__startswith="contact.").count() == 2


def test_a_word_on_one_kind_of_address_is_none_on_another(talk: Conversation) -> None:
    talk.customer.addresses.create(kind="line", value=HOME, normalised=HOME)

    assert says(ContactKind.STOP) == 1

    assert Address.objects.get(kind="line").opted_out_at is None


@pytest.mark.parametrize(("first", "second"), [("stop", "stop"), ("stop", "complaint"), ("bounce", "bounce")])
def test_the_first_of_two_words_that_say_the_same_stands(talk: Conversation, first: str, second: str) -> None:
    says(ContactKind(first), minutes=5)
    says(ContactKind(second), minutes=2)

    assert (row().opted_out_by, row().opted_out_at) == (first, ago(5))


def test_a_start_of_the_same_moment_counts_and_leaves_no_reason(talk: Conversation) -> None:
    says(ContactKind.STOP, minutes=5)
    says(ContactKind.START, minutes=5)

    assert (row().opted_out_by, row().opted_out_at) == ("", None)


def test_a_start_of_somebody_else_lets_no_late_stop_be_forgotten(talk: Conversation) -> None:
    says(ContactKind.START, WORK, minutes=1)

    says(ContactKind.STOP, minutes=5)

    assert row().opted_out_by == "stop"


@pytest.mark.parametrize(("to", "counts"), [(HOME.title(), True), (WORK, False), (None, False)])
def test_what_anybody_can_forge_counts_only_for_the_message_it_names(
    talk: Conversation, to: str | None, counts: bool
) -> None:
    message = written(talk, to)
    Delivery.objects.create(message=message, updated_at=NOW, carrier_id="<1@kaede.example>")

    assert says(ContactKind.BOUNCE, carrier_id="<1@kaede.example>") == int(counts)
    assert says(ContactKind.BOUNCE, carrier_id="<nothing of ours>") == 0

    assert row().opted_out_by == ("bounce" if counts else "")
    assert Event.objects.filter(kind="contact.bounce").count() == int(counts)


def test_a_refusal_by_the_carrier_is_a_word_about_the_address(talk: Conversation) -> None:
    message = written(talk, HOME.title())

    consent.refused(message, ChannelError("no", permanent=True, contact="stop", detail={"code": "21610"}))

    assert row().opted_out_by == "stop"
    event = Event.objects.get(kind="contact.stop")
    assert json.loads(event.details or "") == {"address": HOME.title(), "code": "21610"}
    assert event.occurred_at > timezone.now() - timedelta(minutes=1)


@pytest.mark.parametrize("length", [320, 321, 500])
def test_an_address_longer_than_its_column_is_found(length: int) -> None:
    long = f"{'x' * (length - 10)}@a.example"
    customer = factories.customer("Robert King")
    customer.addresses.create(kind="email", value=long[:320], normalised=long[:320])
    talk = factories.conversation(factories.employee("aoi"), channel="email")
    Conversation.objects.filter(pk=talk.pk).update(customer=customer)
    talk.refresh_from_db()
    message = written(talk, long)
    Delivery.objects.create(message=message, updated_at=NOW, carrier_id="<1@kaede.example>")

    assert says(ContactKind.BOUNCE, long, minutes=5, carrier_id="<1@kaede.example>") == 1
    assert consent.withdrawn(message, email()) == "opted out: bounce"


def test_a_stop_of_the_same_moment_as_a_start_counts(talk: Conversation) -> None:
    says(ContactKind.START, minutes=5)
    says(ContactKind.STOP, minutes=5)

    assert row().opted_out_by == "stop"


# --- who writes is there


def writes(at: datetime) -> None:
    factories.received("Me", channel="email", from_address=HOME.title(), occurred_at=at)


def test_a_bounce_is_over_when_somebody_writes_from_there_and_that_is_recorded(talk: Conversation) -> None:
    double = factories.customer("Hanako Sato", email=HOME)
    says(ContactKind.BOUNCE, minutes=5)
    says(ContactKind.BOUNCE, WORK, minutes=5)

    writes(ago(1))

    assert {(one.opted_out_at, one.opted_out_by) for one in Address.objects.filter(normalised=HOME)} == {(None, "")}
    assert row(WORK).opted_out_by == "bounce"
    events = {event.subject_id: event for event in Event.objects.filter(kind="contact.reached")}
    own, other = talk.customer.addresses.get(normalised=HOME), double.addresses.get()
    assert set(events) == {str(own.pk), str(other.pk)}
    assert (events[str(own.pk)].conversation, events[str(own.pk)].actor_type) == (talk, "customer")
    assert events[str(own.pk)].subject_type == "address"
    assert json.loads(events[str(own.pk)].data) == {"channel": "email"}


@pytest.mark.parametrize("minutes", [5, 6])
def test_a_bounce_after_the_message_stands(talk: Conversation, minutes: float) -> None:
    says(ContactKind.BOUNCE, minutes=5)

    writes(ago(minutes))

    assert row().opted_out_by == "bounce"
    assert not Event.objects.filter(kind="contact.reached").exists()


def test_a_stop_beside_a_bounce_stays(talk: Conversation) -> None:
    factories.customer("Hanako Sato", email=HOME)
    says(ContactKind.BOUNCE, minutes=5)
    own = talk.customer.addresses.get(normalised=HOME)
    Address.objects.filter(pk=own.pk).update(opted_out_by="stop")

    writes(ago(1))

    assert sorted(Address.objects.filter(normalised=HOME).values_list("opted_out_by", flat=True)) == ["", "stop"]
