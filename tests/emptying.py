"""How a test that commits leaves the database empty: fast, and past the triggers that guard the recorded tables."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

#: Django's own rows, which ``migrate`` made and no test changes: to make them again takes longer than most tests.
KEPT = {"auth_permission", "django_content_type", "django_migrations"}


def empty(connection: BaseDatabaseWrapper) -> None:
    """Delete all rows but Django's own, in the few tables that have any. The triggers are complete afterwards.

    Django's own ``flush`` truncates every table and then announces a migration, which takes a second or more.
    """
    from crm_contact_guard.record import trigger_state, triggers

    tables = sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in tables))
        filled = [name for (name,) in cursor.fetchall()]
    _delete(connection, filled, recorded=set(triggers.RECORDED))
    if trigger_state.altered(connection):
        triggers.install(connection)


def _delete(connection: BaseDatabaseWrapper, tables: list[str], *, recorded: set[str]) -> None:
    from crm_contact_guard.record import triggers

    unguarded = connection.vendor == "sqlite" and recorded.intersection(tables)
    if unguarded:
        triggers.remove(connection)
    # A superuser's session runs without triggers and foreign keys on PostgreSQL; MariaDB's TRUNCATE fires no trigger.
    on_postgresql = connection.vendor == "postgresql"
    with connection.constraint_checks_disabled() if not on_postgresql else nullcontext(), connection.cursor() as cursor:
        for name in recorded.intersection(tables) if connection.vendor == "mysql" else ():
            cursor.execute(f"TRUNCATE {name}")
        with transaction.atomic(using=connection.alias):
            if on_postgresql:
                cursor.execute("SET LOCAL session_replication_role = replica")
            for name in tables:
                cursor.execute(f"DELETE FROM {name}")


def empties(test: Any) -> None:
    """``TransactionTestCase._fixture_teardown`` of our tests."""
    from django.db import connections

    for alias in test._databases_names(include_mirrors=False):
        empty(connections[alias])
