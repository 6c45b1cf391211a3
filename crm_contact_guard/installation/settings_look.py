"""The settings, the database's state and the triggers: what the system checks say, as items."""

from __future__ import annotations

from collections.abc import Iterator

from django.core import checks
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from crm_contact_guard.hosting import database
from crm_contact_guard.installation.report import Item, Level, error, fine
from crm_contact_guard.record import trigger_state, triggers

TOPIC = "settings"
APP = "crm_contact_guard"


def settings_items() -> Iterator[Item]:
    """Each message of our own system checks, the database's aside."""
    found = [message for message in checks.run_checks(tags=[APP]) if str(message.id).startswith(APP)]
    for message in found:
        level = Level.ERROR if message.level >= checks.ERROR else Level.WARNING
        said = f"{message.msg} ({str(message.id).removeprefix(f'{APP}.')})"
        yield Item(level=level, topic=TOPIC, says=said, fix=message.hint or "")
    if not found:
        yield fine(TOPIC, "CONTACT_GUARD is complete and every name in it is known")


def waiting_migrations() -> list[str]:
    """Migrations that our tables still need."""
    executor = MigrationExecutor(database.connection())
    wanted = [key for key in executor.loader.graph.leaf_nodes() if key[0] == APP]
    return [str(migration) for migration, _back in executor.migration_plan(wanted)]


def has_tables() -> bool:
    """Whether our tables are there and as this version needs them."""
    try:
        return not waiting_migrations()
    except Exception:  # noqa: BLE001 - a database that is down, or migrations of the host that can't be read
        return False


def database_items() -> Iterator[Item]:
    """Whether the tables are there, up to date and guarded by their triggers."""
    alias = database.alias()
    connection = connections[alias]
    waiting = waiting_migrations()
    if waiting:
        yield error(
            "database",
            f"{len(waiting)} migrations wait on {alias!r}: {', '.join(waiting)}",
            f"manage.py migrate {APP}" + ("" if alias == DEFAULT_DB_ALIAS else f" --database {alias}"),
            lambda: call_command("migrate", APP, database=alias, interactive=False, verbosity=0),
        )
        return
    lost = trigger_state.altered(connection)
    if lost:
        yield error(
            "database",
            f"recorded rows can be altered: missing or altered triggers {', '.join(sorted(lost))}",
            "put them back (migrate does so too), then find out who removed them and run contact_guard_verify",
            lambda: triggers.install(connection),
        )
    else:
        yield fine("database", f"up to date on {alias!r} ({connection.vendor}); the triggers refuse changes")
