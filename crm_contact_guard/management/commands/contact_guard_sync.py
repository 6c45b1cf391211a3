"""``contact_guard_sync``: mirror the host's teams, employees and customers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError

from crm_contact_guard.conf import settings
from crm_contact_guard.directory_sync import sync_all
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.management.command import GuardCommand


class Command(GuardCommand):
    help = (
        "Mirror the CRM's teams, employees and customers, as the scheduled task does. Safe to repeat. "
        "Exit code 0, or 1 if the adapter's settings are wrong, or the adapter or the database failed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = sync_all()
        except (ConfigurationError, DatabaseError, InterfaceError):
            raise
        except Exception as problem:
            # The host's own adapter may raise anything at any point.
            cause = f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
            raise CommandError(
                f"The CRM adapter {settings.CRM_ADAPTER} raised {cause} (--traceback shows where). Rows mirrored before"
                " that were kept, and no one was deactivated; fix the adapter and rerun."
            ) from problem
        self.stdout.write(f"{counts['teams']} teams, {counts['employees']} employees, {counts['customers']} customers")
        if not counts["employees"]:
            self.stderr.write("The CRM returned no employees. No one was deactivated; check EMPLOYEE and the adapter.")
