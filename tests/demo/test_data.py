"""The demo's data: people, guests, and conversations with exactly the intended alerts."""

from __future__ import annotations

import json
import sqlite3

from tests.demo.conftest import Demo

ALERTS = """
import json
import sqlite3
from crm_contact_guard.supervision.models import Alert
rows = Alert.objects.select_related("conversation__customer", "addressee__user").order_by("at_message__occurred_at")
print(json.dumps([[a.topic, a.by, a.conversation.customer.name, a.addressee.user.username] for a in rows]))
"""
COUNTS = """
import json
import sqlite3
from crm_contact_guard.directory.models import Customer, Employee, Team
from crm_contact_guard.record.models import Conversation, Message
from demo_project.frontdesk.models import Guest, Reservation
models = (Employee, Team, Customer, Guest, Reservation, Conversation, Message)
print(json.dumps([model.objects.count() for model in models]))
"""


def test_the_conversations_raise_exactly_the_intended_alerts(demo: Demo) -> None:
    assert json.loads(demo.ask(ALERTS)) == [
        ["off_channel", "customer", "黒田 健", "supervisor"],
        ["after_hours", "employee", "James Whitfield", "supervisor"],
        ["off_channel", "employee", "山本 大輔", "supervisor"],
    ]


def test_loading_it_again_changes_nothing(demo: Demo) -> None:
    before = json.loads(demo.ask(COUNTS))
    assert before[:2] == [9, 3]
    assert before[2] == before[3] == 25

    done = demo.manage("demo_data")

    assert done.returncode == 0, done.stderr
    assert "0 new messages" in done.stdout
    assert json.loads(demo.ask(COUNTS)) == before


def test_the_installation_passes_all_checks(demo: Demo) -> None:
    done = demo.manage("check", "--database", "default", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


def test_no_migration_is_missing(demo: Demo) -> None:
    done = demo.manage("makemigrations", "--check", "--dry-run")
    assert done.returncode == 0, done.stdout


def test_migrate_restores_a_missing_trigger(demo: Demo) -> None:
    # As an operator runs it: `manage.py migrate` runs the check that reports the missing trigger.
    with sqlite3.connect(demo.folder / "db.sqlite3") as database:
        database.execute("DROP TRIGGER contact_guard_message_update")
    assert "crm_contact_guard.E006" in demo.manage("check", "--database", "default").stderr

    done = demo.manage("migrate")

    assert done.returncode == 0, done.stderr
    assert demo.manage("check", "--database", "default").returncode == 0
