"""``contact_guard_rescan``: read the past again with today's packs and rules."""

from __future__ import annotations

import argparse
from typing import Any
from uuid import UUID

from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.management.moments import moment
from crm_contact_guard.supervision.rescan import Rescanned, messages_to_rescan, opened, rescan

_PROGRESS = 1000


class Command(GuardCommand):
    help = (
        "Inspect recorded messages again, after a new pack or new company rules. New findings open alerts on the "
        "dashboard; mails go out with --notify only. --dry-run shows what would be found and changes nothing. "
        "Repeating it adds nothing. Exit code 0."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--since", type=moment, metavar="DATE", help="messages from this day or ISO time on")
        parser.add_argument("--until", type=moment, metavar="DATE", help="messages before this day or ISO time")
        parser.add_argument("--conversation", type=UUID, metavar="ID", help="one conversation only")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be found")
        parser.add_argument("--notify", action="store_true", help="warn supervisors of new alerts by e-mail as well")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = messages_to_rescan(since=options["since"], until=options["until"], conversation=options["conversation"])
        total = Rescanned()
        told = 0
        for seen in rescan(rows, dry_run=options["dry_run"], notify=options["notify"], total=total):
            self.stdout.write(f"message {seen.message} of {seen.occurred_at:%Y-%m-%d %H:%M}: {', '.join(seen.kinds)}")
            if total.messages - told >= _PROGRESS:
                told = total.messages
                self.stderr.write(f"{told} messages read")
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(total.findings.items())) or "nothing new"
        if total.noticed:
            kinds += f" ({total.noticed} of them only noticed)"
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(f"{total.messages} messages read; {would}found: {kinds}")
        if not options["dry_run"]:
            self.stdout.write(f"{len(total.alerts)} alerts concerned, {opened(total)} of them to be looked at")
