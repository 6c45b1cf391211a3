"""Django app configuration."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

#: Packages with tables. The ``follows`` module of each declares how its tables are compared with the record.
_ROOMS_WITH_TABLES: Final = (
    "record", "sealing", "files", "conversations", "delivery", "privacy", "policy.calendars", "policy.closing",
    "policy.known_rules", "policy.versions", "reading", "notices", "supervision", "supervision.cases", "figures",
    "exports.jobs", "tokens", "search",
)  # fmt: skip


class ContactGuardConfig(AppConfig):
    name = "crm_contact_guard"
    verbose_name = _("Contact guard")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_contact_guard import checks  # noqa: F401, PLC0415 - registers the checks
        from crm_contact_guard.conversations.desk.drafts import forget_with  # noqa: PLC0415
        from crm_contact_guard.directory import changes  # noqa: PLC0415 - models must be loaded first
        from crm_contact_guard.exports import checks as export_checks  # noqa: F401, PLC0415 - registers its checks
        from crm_contact_guard.exports.jobs import clearing  # noqa: PLC0415 - models must be loaded first
        from crm_contact_guard.monitoring import exposition  # noqa: PLC0415 - models must be loaded first
        from crm_contact_guard.policy import holiday_checks  # noqa: F401, PLC0415 - registers its check
        from crm_contact_guard.privacy import erasing  # noqa: PLC0415 - models must be loaded first
        from crm_contact_guard.reading.forgetting import forget  # noqa: PLC0415
        from crm_contact_guard.record.directory_events import Recorder  # noqa: PLC0415
        from crm_contact_guard.search import filling  # noqa: PLC0415 - models must be loaded first
        from crm_contact_guard.supervision.quality import checks as quality_checks  # noqa: F401, PLC0415
        from crm_contact_guard.tokens import checks as token_checks  # noqa: F401, PLC0415 - registers its check

        for room in _ROOMS_WITH_TABLES:
            import_module(f"{self.name}.{room}.follows")
        for module in ("sending.telling", "supervision.unread.telling"):
            import_module(f"{self.name}.{module}")  # registers its topics of notices
        exposition.count()
        erasing.ERASERS.extend((forget, forget_with, clearing.forget, filling.forget))
        changes.LISTENERS.append(Recorder())
        post_migrate.connect(_compare_exactly, sender=self)
        post_migrate.connect(_restore_triggers, sender=self)
        post_migrate.connect(_mark_upgrade, sender=self)


def _compare_exactly(*, using: str, **_: Any) -> None:
    from crm_contact_guard.hosting.collations import make_exact  # noqa: PLC0415 - models must be loaded first

    make_exact(connections[using])


def _restore_triggers(*, using: str, **_: Any) -> None:
    """Restore the triggers after migrations, because SQLite silently drops them when it rebuilds a table.

    Intact triggers are left alone. If they were dropped and created again, a row that another process inserts in
    between would never be queued for sealing.
    """
    from crm_contact_guard.record import trigger_state, triggers  # noqa: PLC0415 - models must be loaded first

    connection = connections[using]
    if trigger_state.altered(connection):
        triggers.install(connection)


def _mark_upgrade(*, using: str, plan: Any = (), **_: Any) -> None:
    """Record that rows from an earlier version have no events that they could be compared with."""
    from crm_contact_guard.record import upgrade  # noqa: PLC0415 - models must be loaded first

    if any(not backwards for _migration, backwards in plan):
        upgrade.mark(using)
