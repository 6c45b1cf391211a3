"""The base class of this app's commands. It reports invalid settings and database failures without a traceback."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.installation.trouble import describe


class GuardCommand(BaseCommand):
    """A command that converts errors to CommandError. ``--traceback`` shows the traceback, as for Django's commands."""

    #: Exit code if the command could not run at all.
    failed = 1

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=self.failed) from error
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(describe(error), returncode=self.failed) from error
