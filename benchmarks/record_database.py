"""A fresh database with the app's tables and rows, for benchmarks of the record."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

SETTINGS = {"sqlite": "tests.settings", "postgresql": "tests.settings_postgresql", "mariadb": "tests.settings_mariadb"}
TEXT = "明日の朝食は7時からご用意しております。ご不明な点がございましたらフロントまでお申し付けください。" * 4


@contextmanager
def fresh(database: str, *apps: str, name: str = "") -> Iterator[Any]:
    """Set up Django on a new, migrated database of this kind, with additional ``apps``. Yields the connection."""
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS[database]
    import django
    from django.conf import settings

    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, *apps]
    chosen: dict[str, Any] = settings.DATABASES["default"]
    folder = tempfile.TemporaryDirectory()
    name = name or f"bench_record_{os.getpid()}"
    if database == "sqlite":
        name = str(Path(folder.name) / "record.sqlite3")
        # As in the demo: readers do not block the writer, and every commit is synced to disk.
        chosen["OPTIONS"] = {"timeout": 60, "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"}
    chosen["TEST"] = {**chosen.get("TEST", {}), "NAME": name}
    django.setup()
    from django.db import connection

    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield connection
    finally:
        connection.close()
        drop(connection, name)
        folder.cleanup()


def drop(connection: Any, name: str) -> None:
    """Remove the database, even while PostgreSQL still keeps sessions of killed processes."""
    if connection.vendor == "postgresql":
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    else:
        connection.creation.destroy_test_db(name, verbosity=0)


def answers(database: str) -> bool:
    """Whether the server of this database is available."""
    if database == "sqlite":
        return True
    code = "import django; django.setup(); from django.db import connection as c; c.creation._nodb_cursor().__enter__()"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS[database]}
    return not subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, check=False
    ).returncode


def one_process_each(file: str, databases: list[str], arguments: list[str]) -> None:
    """Run ``file`` once for each available database: Django's settings can't be changed later."""
    for database in databases:
        if not answers(database):
            print(f"{database} is not available and left out")
            continue
        subprocess.run([sys.executable, file, "--database", database, *arguments], check=True, cwd=ROOT)


def talk(key: str = "1") -> Any:
    """A conversation to write into, of people with this key."""
    from crm_contact_guard.conversations.lifecycle import conversation_open
    from crm_contact_guard.directory import changes
    from crm_contact_guard.directory.models import Customer, Employee
    from crm_contact_guard.hosting import database

    with database.atomic():
        employee = Employee.objects.create(key=key, name="Aoi", role="employee")
        changes.people_changed(employee)
        customer = Customer.objects.create(key=key, name="Hanako Sato")
        changes.customers_changed([customer.pk])
        return conversation_open(customer=customer, channel="email", employee=employee)


def filled(conversation: Any, count: int) -> Iterator[list[Any]]:
    """``count`` unsaved messages with correct digests, in batches of 2,000."""
    from django.utils import timezone

    from crm_contact_guard.conversations.lifecycle import note_message
    from crm_contact_guard.directory.ids import uuid7
    from crm_contact_guard.proof import canonical
    from crm_contact_guard.record.models import Message
    from crm_contact_guard.record.recording import message_open_values

    names = canonical.MESSAGE_PERSONAL
    for start in range(0, count, 2000):
        batch = []
        for number in range(start, min(start + 2000, count)):
            now = timezone.now()
            message = Message(
                id=uuid7(), tenant="", conversation=conversation, customer_id=conversation.customer_id,
                employee_id=conversation.employee_id, direction="inbound", channel="email", occurred_at=now,
                recorded_at=now, carrier_id=f"<{number}@mail.example.com>", subject="Re: ご予約について", text=TEXT,
                from_name="佐藤花子", from_address="guest@example.com", to_name="Aoi",
                to_address="reply+x@kaede.example", salt=canonical.new_salt(names), format=canonical.FORMAT,
            )  # fmt: skip
            values = {name: getattr(message, name) for name in names}
            message.digests = canonical.personal_digests(names, bytes(message.salt or b""), values)
            message.leaf_hash = canonical.leaf_hash(
                canonical.leaf_bytes("message", message_open_values(message), bytes(message.digests))
            )
            batch.append(message)
        note_message(conversation, batch[-1])
        yield batch


def peak_memory() -> float:
    """Peak memory of this process in MB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def as_id(text: Any) -> UUID:
    """A primary key as a UUID, in whichever form the database returns it."""
    return text if isinstance(text, UUID) else UUID(str(text))
