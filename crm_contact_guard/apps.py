"""Django app configuration."""

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
        from crm_contact_guard.monitoring import exposition  # noqa: PLC0415 - models must be loaded first
        from crm_contact_guard.privacy import erasing  # noqa: PLC0415 - models must be loaded first
        from crm_contact_guard.reading.forgetting import forget  # noqa: PLC0415

        exposition.count()
        erasing.ERASERS.append(forget)
        post_migrate.connect(_compare_exactly, sender=self)
        post_migrate.connect(_restore_triggers, sender=self)


def _compare_exactly(*, using: str, **_: Any) -> None:
    from crm_contact_guard.hosting.collations import make_exact  # noqa: PLC0415 - models must be loaded first

    make_exact(connections[using])


def _restore_triggers(*, using: str, **_: Any) -> None:
    """Restore the triggers after migrations, since SQLite silently drops them when it rebuilds a table.

    Intact triggers are not touched: a row that another process inserts between dropping and creating them would never
    be queued for sealing.
    """
    from crm_contact_guard.record import trigger_state, triggers  # noqa: PLC0415 - models must be loaded first

    connection = connections[using]
    if trigger_state.altered(connection):
        triggers.install(connection)
