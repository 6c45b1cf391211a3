"""Ids, tokens and addresses that differ in case, accents or trailing spaces are different ones on every database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from crm_contact_guard import checks, gateway
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.conversations import lifecycle
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.hosting import collations
from crm_contact_guard.record.models import Message
from tests import factories

TABLES = [model._meta.db_table for model in apps.get_app_config("crm_contact_guard").get_models()]


@pytest.fixture
def _loose(transactional_db: None) -> Iterator[None]:
    """Our tables as ``migrate`` makes them in a database with MariaDB's usual collation."""
    _collate("utf8mb4_general_ci")
    altered = collations.make_exact(connection)
    assert bool(altered) is (connection.vendor == "mysql")
    yield
    _collate("utf8mb4_bin")


def _collate(collation: str) -> None:
    if connection.vendor != "mysql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4 COLLATE {collation}")
        cursor.execute("SET FOREIGN_KEY_CHECKS = 1")


def _receive(event_id: str, address: str = "hanako@example.com", **more: object) -> Message | None:
    received = gateway.receive(
        InboundMessage(
            channel="email",
            event_id=event_id,
            from_address=address,
            text="\U0001f3e8 今晩は",
            occurred_at=timezone.now() - timedelta(minutes=1),
            **more,  # type: ignore[arg-type]
        )
    )
    return None if received.duplicate else received.message


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_loose")
def test_what_looks_alike_is_not_the_same() -> None:
    ids = ["abc", "ABC", "\u00e4bc", "abc ", "abc  ", "\uff41bc", "ab\u0301c", "\U0001f3e8", "\U0001f3e9", "ß", "ss"]

    recorded = [_receive(event_id) for event_id in [*ids, *ids]]

    assert [message is not None for message in recorded] == [True] * len(ids) + [False] * len(ids)
    assert recorded[0] is not None
    assert Message.objects.get(pk=recorded[0].pk).text == "\U0001f3e8 今晩は"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_loose")
def test_a_reference_or_an_address_finds_its_own_only() -> None:
    talk = factories.conversation(factories.employee("aoi"))
    for number, carrier_id in enumerate(("<A@x>", "<a@x>")):
        _receive(f"r{number}", f"guest{number}@example.com", carrier_id=carrier_id)
    first, second = (lifecycle.by_references([name]) for name in ("<A@x>", "<a@x>"))

    _receive("1", "resume@example.com")
    _receive("2", "r\u00e9sum\u00e9@example.com")

    assert first is not None
    assert second is not None
    assert first != second
    assert Customer.objects.exclude(pk=talk.customer_id).count() == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_loose")
def test_tables_that_compare_exactly_are_left_alone() -> None:
    assert collations.make_exact(connection) == []


@pytest.mark.django_db
def test_a_session_that_would_change_texts_is_an_error() -> None:
    """On the other databases there is no such session."""
    on_mysql = connection.vendor == "mysql"
    assert checks.check_texts(None, databases=["default"]) == []

    with connection.cursor() as cursor:
        for statement in ("SET @@sql_mode = ''", "SET character_set_connection = utf8mb3") if on_mysql else ():
            cursor.execute(statement)
    found = checks.check_texts(None, databases=["default"])
    with connection.cursor() as cursor:
        for statement in ("SET @@sql_mode = 'STRICT_TRANS_TABLES'", "SET NAMES utf8mb4") if on_mysql else ():
            cursor.execute(statement)

    assert [error.id for error in found] == ["crm_contact_guard.E026"] * on_mysql
    assert [("STRICT_TRANS_TABLES" in error.msg, "utf8mb3" in error.msg) for error in found] == [
        (True, True)
    ] * on_mysql
