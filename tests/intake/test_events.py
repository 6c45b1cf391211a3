"""Carrier events other than messages: each is recorded once, and other violations are not taken for duplicates."""

from __future__ import annotations

import pytest
from django.db import IntegrityError
from django.db.models.signals import post_save
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import DeliveryStatus, StatusEvent, UnknownEvent
from crm_contact_guard.conversations.carrier_events import seen
from crm_contact_guard.delivery import attempts
from crm_contact_guard.intake.events import take
from crm_contact_guard.record.models import Event
from tests import factories

pytestmark = pytest.mark.django_db


def test_another_constraint_violation_is_not_taken_for_a_duplicate() -> None:
    event = UnknownEvent(channel="chat", event_id="u1", occurred_at=timezone.now(), payload="{}", reason="new")

    def refuse(**_: object) -> None:
        raise IntegrityError("a constraint of the host")

    post_save.connect(refuse, sender=Event)
    try:
        with pytest.raises(IntegrityError):
            take(event)
    finally:
        post_save.disconnect(refuse, sender=Event)

    assert take(event)
    assert not take(event)


def test_a_bounce_finds_its_message() -> None:
    clerk = factories.employee("aoi")
    conversation = factories.conversation(clerk, email="hanako@gmail.com", channel="chat")
    sent = gateway.send(actor=clerk, conversation=conversation, text="Hello")
    assert sent.message is not None
    attempts.deliver(sent.message.pk)
    status = StatusEvent(
        channel="chat",
        event_id="b1",
        carrier_id=str(sent.message.pk),
        status=DeliveryStatus.FAILED,
        occurred_at=timezone.now(),
    )

    assert take(status)
    assert not take(status)
    assert Event.objects.filter(message=sent.message, kind="delivery.failed").count() == 1


def test_the_status_of_an_unknown_message_is_recorded_without_effect() -> None:
    status = StatusEvent(
        channel="chat", event_id="s1", carrier_id="nobody's", status=DeliveryStatus.READ, occurred_at=timezone.now()
    )

    assert not take(status)
    assert seen("chat", "s1") is not None
    assert not take(status)
    assert not Event.objects.exists()
