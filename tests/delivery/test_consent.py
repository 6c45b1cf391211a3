"""Opt-outs of an address: late, out of order, from both sides, and for all its holders."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import CallEvent, CallOutcome, ContactEvent, ContactKind, InboundMessage
from crm_contact_guard.directory.models import Address, Customer
from crm_contact_guard.intake.events import take
from crm_contact_guard.record.models import Event, Message
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "family@sato.example"
NOW = timezone.now()


def say(kind: ContactKind, at: datetime, *, event_id: str = "", address: str = ADDRESS) -> bool:
    return take(
        ContactEvent(
            channel="email", event_id=event_id or f"{kind}-{at}", address=address, kind=kind, occurred_at=at,
            detail={"words": "as the carrier says"},
        )
    )  # fmt: skip


def word() -> str:
    return Address.objects.get(normalised=ADDRESS).opted_out_by


def ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def test_an_opt_out_applies_to_all_customers_with_the_address() -> None:
    hanako, taro = factories.customer("Hanako", email=ADDRESS), factories.customer("Taro", email=ADDRESS.title())

    assert say(ContactKind.STOP, ago(1))

    assert [row.opted_out_by for row in Address.objects.all()] == ["stop", "stop"]
    assert Event.objects.filter(kind="contact.stop").count() == 2
    assert {hanako.pk, taro.pk} == set(Address.objects.values_list("customer", flat=True))


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ([(ContactKind.STOP, 3), (ContactKind.START, 1)], ""),
        ([(ContactKind.START, 1), (ContactKind.STOP, 3)], ""),
        ([(ContactKind.START, 3), (ContactKind.STOP, 1)], "stop"),
        ([(ContactKind.STOP, 1), (ContactKind.START, 3)], "stop"),
        ([(ContactKind.BOUNCE, 1), (ContactKind.STOP, 3)], "stop"),
        ([(ContactKind.STOP, 3), (ContactKind.BOUNCE, 1)], "stop"),
        ([(ContactKind.COMPLAINT, 3), (ContactKind.UNSUBSCRIBE, 1)], "complaint"),
    ],
)
def test_the_newest_event_wins_and_a_bounce_replaces_no_opt_out(
    said: list[tuple[ContactKind, int]], holds: str
) -> None:
    factories.customer(email=ADDRESS)

    for kind, minutes in said:
        say(kind, ago(minutes))

    assert word() == holds
    assert Event.objects.filter(kind__startswith="contact.").count() == 2


def test_a_repeated_event_is_recorded_once() -> None:
    factories.customer(email=ADDRESS)

    assert [say(ContactKind.STOP, ago(1), event_id="e") for _ in range(3)] == [True, False, False]
    assert Event.objects.filter(kind="contact.stop").count() == 1


@pytest.mark.parametrize(("kind", "left"), [(ContactKind.BOUNCE, ""), (ContactKind.STOP, "stop")])
def test_a_message_from_the_address_ends_a_bounce_but_no_opt_out(kind: ContactKind, left: str) -> None:
    factories.customer(email=ADDRESS)
    say(kind, ago(5))

    gateway.receive(
        InboundMessage(channel="email", event_id="m", from_address=ADDRESS, text="Me again", occurred_at=NOW)
    )

    assert word() == left


def test_a_new_follower_becomes_a_customer_and_an_unknown_address_is_recorded() -> None:
    say(ContactKind.FOLLOW, ago(1), address="new@sato.example")
    say(ContactKind.STOP, ago(1), address="nobody@sato.example")

    assert Customer.objects.get().name == "n•••@sato.example"
    event = Event.objects.get(kind="contact.stop")
    assert (event.subject_type, event.subject_id) == ("channel", "email")
    assert "nobody@sato.example" in (event.details or "")
    assert "nobody@sato.example" not in event.data


def test_a_call_becomes_a_note_once() -> None:
    talk = factories.conversation(factories.employee("aoi"), email=ADDRESS)
    call = CallEvent(
        channel="email", event_id="c1", carrier_id="CA1", address=ADDRESS, inbound=True, started_at=NOW, seconds=95,
        outcome=CallOutcome.ANSWERED,
    )  # fmt: skip

    assert [take(call), take(call)] == [True, False]
    message = Message.objects.get()
    assert (message.kind, message.conversation) == ("call", talk)
