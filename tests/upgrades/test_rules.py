"""Migrations as a host meets them: in one line, with a way back, beside old code that still runs."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader

from tests.upgrades import snapshot
from tests.upgrades.rules import faults

RULED = "Not reversed: it is a test. Old code: none. Large tables: none."


def ours() -> list[migrations.Migration]:
    graph = MigrationLoader(connection, ignore_no_migrations=True).graph
    [leaf] = [key for key in graph.leaf_nodes() if key[0] == snapshot.APP]
    return [graph.nodes[key] for key in graph.forwards_plan(leaf) if key[0] == snapshot.APP]


def released() -> str:
    """The newest migration of the newest released version; empty before the first release."""
    found = [snapshot.read(version)["migration"] for version in snapshot.versions() if "dev" not in version]
    return max(found, default="")


@pytest.mark.django_db
def test_migrations_stand_in_one_line() -> None:
    line = ours()

    assert [migration.name[:4] for migration in line] == [f"{number:04}" for number in range(1, len(line) + 1)]
    for before, migration in pairwise(line):
        own = [name for app, name in migration.dependencies if app == snapshot.APP]
        assert own == [before.name]
        assert not migration.replaces, "a host in the middle of a squashed row would be lost"


@pytest.mark.django_db
def test_each_migration_has_a_way_back_and_none_since_the_last_release_stops_a_host() -> None:
    wrong = []
    for migration in ours():
        told = import_module(migration.__module__).__doc__ or ""
        new = bool(released()) and migration.name > released()
        wrong += [f"{migration.name}: {fault}" for fault in faults(migration, told) if new or "no way back" in fault]

    assert not wrong


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        (migrations.RunPython(lambda apps, editor: None), "no way back"),
        (migrations.RunSQL("SELECT 1"), "no way back"),
        (migrations.AddField("team", "floor", models.IntegerField(default=1)), "can no longer write"),
        (migrations.RemoveField("team", "name"), "can no longer write"),
        (migrations.RenameField("team", "name", "title"), "can no longer write"),
        (migrations.DeleteModel("Team"), "can no longer write"),
        (migrations.AddIndex("message", models.Index(fields=["tenant"], name="tenant")), "lock a large table"),
        (migrations.AlterField("event", "kind", models.CharField(max_length=100, null=True)), "lock a large table"),
        (migrations.RunPython(lambda apps, editor: None, migrations.RunPython.noop), "lock a large table"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, object) and not isinstance(value, str) else "",
)
def test_what_would_stop_a_host_is_found_unless_the_migration_says_why_not(operation: Any, fault: str) -> None:
    migration = migrations.Migration("0099_example", snapshot.APP)
    migration.operations = [operation]

    assert [found for found in faults(migration, "") if fault in found]
    assert not list(faults(migration, RULED))


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("message", "floor", models.IntegerField(null=True)),
        migrations.AddField("message", "floor", models.IntegerField(db_default=1)),
        migrations.CreateModel("Floor", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddIndex("team", models.Index(fields=["tenant"], name="tenant")),
        migrations.AlterField("team", "name", models.CharField(max_length=5, choices=[("a", "b")])),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_harms_nobody_is_let_through(operation: Any) -> None:
    migration = migrations.Migration("0099_example", snapshot.APP)
    migration.operations = [operation]

    assert not list(faults(migration, ""))
