"""The Django app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ContactGuardConfig(AppConfig):
    name = "crm_contact_guard"
    verbose_name = _("Contact guard")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_contact_guard import checks  # noqa: F401, PLC0415 - registers the checks
        from crm_contact_guard.monitoring import exposition  # noqa: PLC0415 - registers the checks
        from crm_contact_guard.privacy import erasing  # noqa: PLC0415 - models must be loaded first
        from crm_contact_guard.reading.forgetting import forget  # noqa: PLC0415

        exposition.count()
        erasing.ERASERS.append(forget)
        post_migrate.connect(_restore_triggers, sender=self)


def _restore_triggers(*, using: str, **_: Any) -> None:
    """Put the triggers back after any migration: SQLite drops them silently when it rebuilds a table.

    Where nothing is amiss nothing is touched: other processes record meanwhile, and what they wrote between dropping
    and making the triggers would wait for its seal for ever.
    """
    from crm_contact_guard.record import trigger_state, triggers  # noqa: PLC0415 - models must be loaded first

    connection = connections[using]
    if trigger_state.altered(connection):
        triggers.install(connection)
