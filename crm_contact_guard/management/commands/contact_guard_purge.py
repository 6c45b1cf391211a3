"""``contact_guard_purge``: erase messages whose retention period has expired."""

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
        "Count the messages whose period according to the confirmed RETENTION rules has expired; with --erase, erase "
        "them: texts, names, addresses, files and salts are removed, digests stay, so that all proofs remain valid. "
        "Messages under a legal hold are kept. Exit code 0, or 1 if the settings are wrong."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--erase", action="store_true", help="erase; without it nothing is changed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rules = list(expired())
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        if not rules:
            self.stdout.write('Nothing is erased: RETENTION has no rules with "CONFIRMED": True.')
            return
        for rule, messages in rules:
            if options["erase"]:
                count = erase_messages(messages, basis="retention", reason=rule.name)
                self.stdout.write(f"{rule.name}: {count} messages erased")
            else:
                self.stdout.write(f"{rule.name}: {messages.count()} messages would be erased")
        if not options["erase"]:
            self.stdout.write("Nothing was changed. Run again with --erase.")
