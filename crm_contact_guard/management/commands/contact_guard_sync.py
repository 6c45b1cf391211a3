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
        "Mirror the CRM's teams, employees and customers. Repeating it is harmless; the scheduled task does the same. "
        "Exit code 0, or 1 when the adapter's settings are wrong, or it or the database failed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = sync_all()
        except (ConfigurationError, DatabaseError, InterfaceError):
            raise
        except Exception as problem:
            # The host's own adapter may raise anything, anywhere in the middle.
            said = f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
            raise CommandError(
                f"The CRM adapter {settings.CRM_ADAPTER} raised {said} (--traceback shows where). What was mirrored"
                " until then stays, and nobody was taken for gone; run this again when it is mended."
            ) from problem
        self.stdout.write(f"{counts['teams']} teams, {counts['employees']} employees, {counts['customers']} customers")
        if not counts["employees"]:
            self.stderr.write("The CRM shows no employee: nobody was deactivated; look at EMPLOYEE and the adapter.")
