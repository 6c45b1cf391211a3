"""What our commands share: a setting or a database that fails is told in words, not by a traceback."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.installation.trouble import told


class GuardCommand(BaseCommand):
    """``--traceback`` shows where it happened, as with Django's own errors."""

    #: Exit code when the command could not do its work at all.
    failed = 1

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=self.failed) from error
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(told(error), returncode=self.failed) from error
