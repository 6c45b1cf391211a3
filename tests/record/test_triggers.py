"""Database triggers refuse changes to recorded rows, except for an erasure with a permit."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_contact_guard.exceptions import RecordedRowsAreFinal
from crm_contact_guard.record import trigger_state, triggers
from crm_contact_guard.record.models import ErasurePermit, Event, Message, Pending
from crm_contact_guard.record.recording import record_event
from tests import factories

pytestmark = pytest.mark.django_db

MESSAGE, EVENT = "crm_contact_guard_message", "crm_contact_guard_event"


@pytest.fixture
def message() -> Message:
    conversation = factories.conversation(factories.employee("aoi"))
    recorded = factories.recorded(conversation, "Good evening", occurred_at=timezone.now(), from_name="Hanako Sato")
    record_event(
        kind="delivery.sent", subject_type="message", subject_id=recorded.pk, actor_type="system", message=recorded
    )
    return recorded


REFUSED = [
    *(f"UPDATE {MESSAGE} SET {column} = {value}" for column, value in {
        "text": "'other'", "occurred_at": "recorded_at", "from_name": "'Somebody'", "direction": "'outbound'",
        "channel": "'mail'", "leaf_hash": "digests", "salt": "NULL", "subject": "NULL",
    }.items()),
    # Equal by the collation of many databases
    f"UPDATE {MESSAGE} SET text = 'GOOD EVENING'",
    f"UPDATE {MESSAGE} SET text = 'Good evening '",
    f"UPDATE {EVENT} SET kind = 'delivery.failed'",
    f"UPDATE {EVENT} SET reason = NULL",
    f"DELETE FROM {MESSAGE}",
    f"DELETE FROM {EVENT}",
]  # fmt: skip


@pytest.mark.parametrize("statement", REFUSED)
def test_raw_sql_can_not_change_the_record(message: Message, statement: str) -> None:
    before = list(Message.objects.values()), list(Event.objects.values())

    with pytest.raises(DatabaseError, match="recorded rows can not be changed"), transaction.atomic():
        connection.cursor().execute(statement)

    assert (list(Message.objects.values()), list(Event.objects.values())) == before


@pytest.mark.parametrize("table", [MESSAGE, EVENT])
def test_emptying_a_table_is_refused(message: Message, table: str) -> None:
    # SQLite has no TRUNCATE. MariaDB fires no trigger for it; verification detects it there (docs/record.md).
    statement = f"DELETE FROM {table} WHERE 1 = 1"
    if connection.vendor == "postgresql":
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
        statement = f"TRUNCATE {table} CASCADE"

    with pytest.raises(DatabaseError, match="recorded rows can not be changed"), transaction.atomic():
        connection.cursor().execute(statement)


def test_insert_or_replace_can_not_overwrite_a_row(message: Message) -> None:
    columns = [field.column for field in Message._meta.concrete_fields]
    verb = "INSERT OR REPLACE" if connection.vendor == "sqlite" else "INSERT"
    listed = ", ".join(f'"{column}"' if connection.vendor != "mysql" else f"`{column}`" for column in columns)

    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute(f"{verb} INTO {MESSAGE} ({listed}) SELECT {listed} FROM {MESSAGE}")

    assert Message.objects.get().text == "Good evening"


def test_a_permit_allows_erasing_personal_fields_only(message: Message) -> None:
    ErasurePermit.objects.create(row_id=message.pk)
    for text in ("rewritten", "Good evening ", "good evening"):
        with pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute(f"UPDATE {MESSAGE} SET text = '{text}'")
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute(f"UPDATE {MESSAGE} SET text = NULL, channel = 'mail'")

    connection.cursor().execute(f"UPDATE {MESSAGE} SET text = NULL, from_name = NULL, salt = NULL")

    erased = Message.objects.get()
    assert (erased.text, erased.from_name, erased.salt) == (None, None, None)
    assert bytes(erased.leaf_hash) == bytes(message.leaf_hash)


def test_each_recorded_row_is_pending_for_sealing(message: Message) -> None:
    pending = {(row.row_kind, row.row_id, bytes(row.leaf_hash)) for row in Pending.objects.all()}

    events = {("event", event.pk, bytes(event.leaf_hash)) for event in Event.objects.all()}
    assert events
    assert pending == {("message", message.pk, bytes(message.leaf_hash)), *events}


def test_the_orm_refuses_before_the_database_does(message: Message) -> None:
    with pytest.raises(RecordedRowsAreFinal):
        Message.objects.filter(pk=message.pk).update(text="other")
    with pytest.raises(RecordedRowsAreFinal):
        Event.objects.all().delete()


def test_the_check_names_a_missing_trigger() -> None:
    call_command("check", databases=["default"], stdout=StringIO(), stderr=StringIO())
    triggers.remove(connection)

    with pytest.raises(SystemCheckError, match=r"crm_contact_guard\.E006.*contact_guard_message_delete|missing"):
        call_command("check", databases=["default"], stdout=StringIO(), stderr=StringIO())


def test_migrate_restores_missing_triggers() -> None:
    triggers.remove(connection)
    assert trigger_state.altered(connection)

    call_command("migrate", verbosity=0)

    assert not trigger_state.altered(connection)


def test_migrate_leaves_intact_triggers_alone() -> None:
    with CaptureQueriesContext(connection) as queries:
        call_command("migrate", verbosity=0)

    assert not [query["sql"] for query in queries if "TRIGGER" in query["sql"].upper().split()[:2]]
