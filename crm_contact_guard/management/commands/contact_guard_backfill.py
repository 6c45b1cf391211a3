"""``contact_guard_backfill``: record the host's messages from before this app was installed."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError
from django.utils.module_loading import import_string

from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.intake import backfill
from crm_contact_guard.management.command import GuardCommand

PROGRESS = 1000


class Command(GuardCommand):
    help = (
        "Record older messages of the host. SOURCE is the dotted path of a callable that yields "
        "crm_contact_guard.intake.backfill.OldMessage. They are marked as backfilled: the proof shows when they were "
        "added to the record, not that they were unaltered before. Safe to repeat; recorded messages are skipped. "
        "Exit code 0, or 1 if some could not be recorded (each is listed)."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("source", help="dotted path of a callable without arguments")
        parser.add_argument("--inspect", action="store_true", help="also inspect the messages, which may open alerts")
        parser.add_argument("--dry-run", action="store_true", help="read and validate all messages, but record nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            source = import_string(options["source"])
        except ImportError as error:
            raise CommandError(f"{options['source']!r}: {error}") from error
        if not callable(source):
            raise CommandError(f"{options['source']!r} is not callable: name a function that yields OldMessage")
        counts = {"recorded": 0, "known": 0, "refused": 0}
        for number, old in enumerate(source(), 1):
            try:
                outcome = backfill.record_old(old, inspect=options["inspect"], dry_run=options["dry_run"])
                counts[outcome] += 1
            except InvalidMessage as error:
                counts["refused"] += 1
                self.stderr.write(f"message {old.key!r}: {error}")
            if number % PROGRESS == 0:
                self.stdout.write(f"{number} read…")
        verb = "would be recorded" if options["dry_run"] else "recorded"
        self.stdout.write(f"{counts['recorded']} {verb}, {counts['known']} known already, {counts['refused']} refused")
        if counts["refused"]:
            raise SystemExit(1)
