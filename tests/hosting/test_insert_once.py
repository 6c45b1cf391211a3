"""insert_once: the second process gets the existing row and is rolled back; other violations are raised."""

from __future__ import annotations

import pytest
from django.db import IntegrityError
from django.utils import timezone

from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.hosting.insert_once import insert_once

pytestmark = pytest.mark.django_db


def event(event_id: str) -> CarrierEventId:
    return CarrierEventId.objects.create(channel="chat", event_id=event_id, received_at=timezone.now())


def known() -> CarrierEventId | None:
    return CarrierEventId.objects.filter(channel="chat", event_id="1").first()


def test_the_first_block_is_committed() -> None:
    with insert_once(known) as insertion:
        made = event("1")
        Customer.objects.create(name="Hanako Sato")

    assert insertion.is_first
    assert insertion.earlier is None
    assert known() == made
    assert Customer.objects.exists()


def test_the_second_block_is_rolled_back_and_gets_the_first_row() -> None:
    first = event("1")

    with insert_once(known) as insertion:
        Customer.objects.create(name="Hanako Sato")
        event("1")

    assert not insertion.is_first
    assert insertion.earlier == first
    assert not Customer.objects.exists()
    assert CarrierEventId.objects.count() == 1


def test_known_is_called_only_after_a_violation() -> None:
    asked = []
    with insert_once(lambda: asked.append("asked")):
        event("1")

    assert not asked


def make_a_customer_and_insert(event_id: str) -> None:
    with insert_once(known):
        Customer.objects.create(name="Hanako Sato")
        if "\0" in event_id:
            raise ValueError("NUL")
        event(event_id)


def test_the_violation_of_another_constraint_is_raised_and_the_block_is_rolled_back() -> None:
    event("2")

    with pytest.raises(IntegrityError):
        make_a_customer_and_insert("2")

    assert not Customer.objects.exists()


def test_other_exceptions_roll_the_block_back() -> None:
    with pytest.raises(ValueError, match="NUL"):
        make_a_customer_and_insert("\0")

    assert not Customer.objects.exists()
