"""System checks of what protects the record: keys, witnesses, triggers, and a database that changes no text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from crm_contact_guard.checks.asking import Configs
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting import collations
from crm_contact_guard.record.models import Message
from crm_contact_guard.sealing import keys, witnessing
from crm_contact_guard.verification import tables


@register("crm_contact_guard")
def check_signing_key(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E007: there is no signing key, or it is the public demo key (W005 with DEBUG). E008: the key is invalid."""
    hint = "Create a key with `manage.py contact_guard_keygen FILE`; see docs/record.md, Keys."
    try:
        key = keys.signing_key()
        keys.verification_keys()
    except ConfigurationError as error:
        return [Error(str(error), hint=hint, id="crm_contact_guard.E008")]
    if key is not None and not keys.is_demo(key):
        return []
    problem = (
        "has no signing key: nothing is sealed" if key is None else "is signed by the demo key, which proves nothing"
    )
    if django_settings.DEBUG:
        return [Warning(f"The record {problem}", hint=hint, id="crm_contact_guard.W005")]
    return [Error(f"The record {problem}", hint=hint, id="crm_contact_guard.E007")]


@register("crm_contact_guard")
def check_witnesses(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E009: a witness can't be loaded. W004: there is no witness, so a rolled-back database would not be detected."""
    try:
        if witnessing.configured():
            return []
    except ConfigurationError as error:
        return [Error(str(error), hint="See docs/record.md, Witnesses.", id="crm_contact_guard.E009")]
    hint = 'Add one to CONTACT_GUARD["WITNESSES"], for example an e-mail to your auditor.'
    return [Warning("No witness stores checkpoints of the record", hint=hint, id="crm_contact_guard.W004")]


def _waits_for_migrations(connection: BaseDatabaseWrapper) -> bool:
    executor = MigrationExecutor(connection)
    ours = [key for key in executor.loader.graph.leaf_nodes() if key[0] == Message._meta.app_label]
    return bool(executor.migration_plan(ours))


@register(Tags.database)
def check_triggers(app_configs: Configs, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """E006: the database differs from what our migrations set up, in one of these ways (``check --database default``):

    * A trigger that protects recorded rows is missing or changed.
    * Our tables differ from those that the migrations created. For example, there is a trigger, rule, constraint or
      column that isn't ours, or a view has replaced a table.
    * Something replaces built-in functions.

    Missing triggers don't block ``migrate``, which restores them.
    """
    messages: list[CheckMessage] = []
    for alias in databases or ():
        if not router.allow_migrate_model(alias, Message):
            continue
        connection = connections[alias]
        if Message._meta.db_table not in connection.introspection.table_names():
            continue
        # Tables from an older version differ until they are migrated. `migrate` also restores the triggers, so its own
        # check must not stop it.
        if sys.argv[1:2] == ["migrate"] or _waits_for_migrations(connection):
            continue
        altered, faults = tables.altered(alias)
        if altered:
            messages.append(
                Error(
                    f"Recorded rows on database {alias!r} can be altered: triggers missing, disabled or replaced:"
                    f" {', '.join(sorted(altered))}",
                    hint="Run `manage.py migrate`, which restores the triggers, and find out who removed them.",
                    id="crm_contact_guard.E006",
                )
            )
        messages += [
            Error(
                f"On database {alias!r}, {name} {why}",
                hint="Find out who did it and undo it, then run contact_guard_verify.",
                id="crm_contact_guard.E006",
            )
            for name, why in faults
        ]
    return messages


@register(Tags.database)
def check_texts(app_configs: Configs, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """E026: MariaDB or MySQL would silently change recorded text, because sessions don't use strict mode or connections
    use the old ``utf8`` (``check --database default``)."""
    places = [alias for alias in databases or () if router.allow_migrate_model(alias, Message)]
    hint = (
        'In DATABASES, set OPTIONS to {"charset": "utf8mb4", "init_command": "SET sql_mode=\'STRICT_TRANS_TABLES\'"}.'
    )
    return [
        Error(f"Database {alias!r} would change texts: {lost}", hint=hint, id="crm_contact_guard.E026")
        for alias in places
        if (lost := collations.losses(connections[alias]))
    ]
