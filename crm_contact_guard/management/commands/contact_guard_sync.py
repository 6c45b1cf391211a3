"""``contact_guard_sync``: mirror the host's teams, employees and customers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm_contact_guard.directory.mirror import sync_all
from crm_contact_guard.exceptions import ConfigurationError


class Command(BaseCommand):
    help = (
        "Mirror the CRM's teams, employees and customers. Repeating it is harmless; the scheduled task does the same. "
        "Exit code 0, or 1 when the adapter's settings are wrong."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = sync_all()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{counts['teams']} teams, {counts['employees']} employees, {counts['customers']} customers")
        if not counts["employees"]:
            self.stderr.write("The CRM shows no employee: nobody was deactivated; look at EMPLOYEE and the adapter.")
