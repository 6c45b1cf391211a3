"""Check the settings (with our system checks), migrations and triggers."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from django.core import checks
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from crm_contact_guard.hosting import database
from crm_contact_guard.installation.report import Item, Level, error, fine, warning
from crm_contact_guard.record import triggers
from crm_contact_guard.verification import tables

TOPIC = "settings"
APP = "crm_contact_guard"


def settings_items() -> Iterator[Item]:
    """Yield the messages of our system checks, except the database checks."""
    messages = [message for message in checks.run_checks(tags=[APP]) if str(message.id).startswith(APP)]
    for message in messages:
        level = Level.ERROR if message.level >= checks.ERROR else Level.WARNING
        text = f"{message.msg} ({str(message.id).removeprefix(f'{APP}.')})"
        yield Item(level=level, topic=TOPIC, says=text, fix=message.hint or "")
    if not messages:
        yield fine(TOPIC, "CONTACT_GUARD is complete and has no unknown names")
    yield from package_items()


def package_items() -> Iterator[Item]:
    """Check that no other distribution has overwritten a module that we import."""
    versions = {name: _version(name) for name in _SAME_MODULE}
    if len({*versions.values()} - {""}) > 1:
        newest = max(versions.items(), key=lambda item: [int(part) for part in item[1].split(".") if part.isdigit()])
        installed = " and ".join(f"{name} {version}" for name, version in versions.items())
        yield warning(
            TOPIC,
            f"{installed} are both installed and overwrite each other's files",
            f"pip uninstall {' '.join(versions)}; pip install {newest[0]}=={newest[1]}, and pin one of them",
        )


#: Distributions that contain the same module, and that pip doesn't prevent from being installed together.
_SAME_MODULE = ("phonenumbers", "phonenumberslite")


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def waiting_migrations() -> list[str]:
    """Return our unapplied migrations."""
    executor = MigrationExecutor(database.connection())
    wanted = [key for key in executor.loader.graph.leaf_nodes() if key[0] == APP]
    return [str(migration) for migration, _back in executor.migration_plan(wanted)]


def has_tables() -> bool:
    """Whether our tables exist and all migrations are applied."""
    try:
        return not waiting_migrations()
    except Exception:  # noqa: BLE001 - the database is unavailable, or the host's migrations can't be loaded
        return False


def database_items() -> Iterator[Item]:
    """Check that all migrations are applied and all triggers are intact."""
    alias = database.alias()
    connection = connections[alias]
    waiting = waiting_migrations()
    if waiting:
        yield error(
            "database",
            f"{len(waiting)} unapplied migrations on {alias!r}: {', '.join(waiting)}",
            f"manage.py migrate {APP}" + ("" if alias == DEFAULT_DB_ALIAS else f" --database {alias}"),
            lambda: call_command("migrate", APP, database=alias, interactive=False, verbosity=0),
        )
        return
    altered, faults = tables.altered(alias)
    if altered:
        yield error(
            "database",
            f"recorded rows can be altered: missing or altered triggers {', '.join(sorted(altered))}",
            "restore them (migrate does so, too), find out who removed them, and run contact_guard_verify",
            lambda: triggers.install(connection),
        )
    for name, why in faults:
        yield error("database", f"{name} {why}", "find out who did it and undo it, then run contact_guard_verify")
    for name, what in tables.notes(alias):
        yield Item(level=Level.WARNING, topic="database", says=f"{name} {what}", fix="see that you know its function")
    if not altered and not faults:
        yield fine("database", f"up to date on {alias!r} ({connection.vendor}); the triggers refuse changes")
