"""From each version that is kept, and from each migration, to today's: nothing is lost, everything still works."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.utils import DatabaseError
from django.test import Client
from django.urls import reverse

from crm_contact_guard import gateway, migrations
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.record import trigger_state, triggers, upgrade
from crm_contact_guard.record.models import Conversation, Message, Pending
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.upgrades import snapshot

# Where the package is imported from: the matrix tests an installed one.
FOLDER = Path(migrations.__file__).parent
STATES = sorted(path.stem for path in FOLDER.glob("0*.py"))[:-1]
#: How many migrations lie between the states that are tried; ``make upgrades`` tries all.
EVERY = int(os.environ.get("CONTACT_GUARD_EVERY_STATE", "20" if connection.vendor == "mysql" else "10"))
TRIED = sorted({STATES[0], *STATES[::-EVERY], *(STATES[STATES.index(name) - 1] for name in snapshot.MOVING)})


#: The names of all that a database holds: tables, indexes, sequences, triggers, functions, types, constraints.
NAMES = {
    "sqlite": "SELECT name FROM sqlite_master",
    "postgresql": (
        "SELECT relname FROM pg_class UNION SELECT tgname FROM pg_trigger UNION SELECT proname FROM pg_proc"
        " UNION SELECT typname FROM pg_type UNION SELECT conname FROM pg_constraint"
        " UNION SELECT rulename FROM pg_rewrite"
    ),
    "mysql": (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
        " UNION SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
        " UNION SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()"
        " UNION SELECT constraint_name FROM information_schema.table_constraints WHERE table_schema = DATABASE()"
    ),
}


@pytest.fixture
def tables(transactional_db: None) -> Iterator[None]:
    """Whatever becomes of our tables, the next test finds them as they are today."""
    yield
    snapshot.migrate(snapshot.leaf())


def put_back(version: str, migration: str = "") -> dict[str, Any]:
    """The database as a version left it, or as it would have been at an earlier migration."""
    kept = snapshot.read(version)
    first = snapshot.takes(kept, migration or kept["migration"])
    snapshot.clear()
    snapshot.migrate(first)
    snapshot.load(kept, snapshot.models_at(first))
    snapshot.migrate(migration or kept["migration"])
    snapshot.migrate(snapshot.leaf())
    upgrade.mark("default")  # as ``migrate`` does at its end
    return kept


def recorded(kept: dict[str, Any]) -> list[tuple[str, str | None]]:
    return sorted((row["id"], row["text"]) for row in kept["rows"]["crm_contact_guard.Message"])


def assert_whole(kept: dict[str, Any]) -> None:
    """The record says what it said, is sealed and proves it; triggers refuse; people find their pages."""
    assert sorted((str(row.pk), row.text) for row in Message.objects.all()) == recorded(kept)
    assert not trigger_state.altered(connection)
    with pytest.raises(DatabaseError, match="can not be changed"), connection.cursor() as cursor:
        cursor.execute("UPDATE crm_contact_guard_message SET channel = 'other'")
    aoi, sora = (Employee.objects.get(email=f"{name}@kaede.example") for name in ("aoi", "sora"))
    talk = Conversation.objects.get(customer__name="佐藤 花子")
    new = gateway.send(actor=aoi, conversation=talk, text="ようこそ。", occurred_at=factories.office_time())
    seal()
    assert new.message is not None
    assert not Pending.objects.exists()
    report = verify()
    # A state from before there were holds can't keep one, though the events that came along tell of it.
    gone = [] if LegalHold.objects.exists() else [row["id"] for row in kept["rows"]["crm_contact_guard.LegalHold"]]
    assert [fault.where for fault in report.faults] == [f"legalhold {hold}" for hold in gone]
    for employee, page in ((aoi, reverse("crm_contact_guard:inbox")), (sora, reverse("crm_contact_guard:dashboard"))):
        browser = Client()
        assert employee.user is not None
        browser.force_login(employee.user)
        assert browser.get(page, follow=True).status_code == 200
    browser = Client()
    browser.force_login(aoi.user)
    assert "ようこそ。" in browser.get(reverse("crm_contact_guard:conversation", args=[talk.pk])).content.decode()


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("version", snapshot.versions())
def test_from_a_version_with_its_data(version: str) -> None:
    assert_whole(put_back(version))


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("migration", TRIED)
def test_from_each_migration_with_data(migration: str) -> None:
    assert_whole(put_back(snapshot.newest_at(migration), migration))


@pytest.mark.beyond_slice
@pytest.mark.usefixtures("tables")
def test_back_step_by_step_and_forth_again_keeps_the_messages() -> None:
    kept = put_back(snapshot.versions()[-1])

    for migration in reversed(snapshot.migrations()[:-1]):
        snapshot.migrate(migration)
    snapshot.migrate(snapshot.leaf())

    assert sorted((str(row.pk), row.text) for row in Message.objects.all()) == recorded(kept)
    assert not trigger_state.altered(connection)


@pytest.mark.usefixtures("tables")
def test_all_the_way_back_leaves_nothing_of_ours() -> None:
    put_back(snapshot.versions()[-1])

    snapshot.migrate(None)

    with connection.cursor() as cursor:
        cursor.execute(NAMES[connection.vendor])
        assert [name for (name,) in cursor.fetchall() if "contact_guard" in name] == []
    assert trigger_state.altered(connection) == triggers.expected(connection.vendor)
