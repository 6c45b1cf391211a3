"""Inserting once: the one that comes second is told so and leaves nothing behind; any other refusal is an error."""

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


def test_the_first_one_inserts_and_its_block_counts() -> None:
    with insert_once(known) as insertion:
        made = event("1")
        Customer.objects.create(name="Hanako Sato")

    assert insertion.is_first
    assert insertion.earlier is None
    assert known() == made
    assert Customer.objects.exists()


def test_the_second_one_is_given_the_first_and_its_block_is_undone() -> None:
    first = event("1")

    with insert_once(known) as insertion:
        Customer.objects.create(name="Hanako Sato")
        event("1")

    assert not insertion.is_first
    assert insertion.earlier == first
    assert not Customer.objects.exists()
    assert CarrierEventId.objects.count() == 1


def test_nobody_is_asked_while_nothing_is_refused() -> None:
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


def test_another_constraints_refusal_is_an_error_and_the_block_is_undone() -> None:
    event("2")

    with pytest.raises(IntegrityError):
        make_a_customer_and_insert("2")

    assert not Customer.objects.exists()


def test_whatever_else_the_block_raises_undoes_it() -> None:
    with pytest.raises(ValueError, match="NUL"):
        make_a_customer_and_insert("\0")

    assert not Customer.objects.exists()
