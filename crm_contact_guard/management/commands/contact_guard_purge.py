"""``contact_guard_purge``: erase what the retention rules no longer keep."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.policy.retention import expired
from crm_contact_guard.privacy.erasing import erase_messages


class Command(GuardCommand):
    help = (
        "Show what the confirmed RETENTION rules no longer keep; with --erase, erase it: texts, names, addresses, "
        "files and salts go, digests stay, so that every proof still holds. Messages under a legal hold stay. "
        "Exit code 0, or 1 when the settings are wrong."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--erase", action="store_true", help="do it; without this nothing changes")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = list(expired())
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        if not found:
            self.stdout.write('Nothing is erased: RETENTION has no rules with "CONFIRMED": True.')
            return
        for rule, messages in found:
            if options["erase"]:
                count = erase_messages(messages, basis="retention", reason=rule.name)
                self.stdout.write(f"{rule.name}: {count} messages erased")
            else:
                self.stdout.write(f"{rule.name}: {messages.count()} messages would be erased")
        if not options["erase"]:
            self.stdout.write("Nothing was changed. Run again with --erase.")
