"""``contact_guard_rescan``: inspect recorded messages again with the current packs and rules."""

from __future__ import annotations

import argparse
from typing import Any
from uuid import UUID

from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.management.moments import moment
from crm_contact_guard.search import filling
from crm_contact_guard.supervision.rescan import Rescanned, messages_to_rescan, opened, rescan

_PROGRESS = 1000


class Command(GuardCommand):
    help = (
        "Inspect recorded messages again, after an update of the packs or the company rules. New findings open alerts "
        "on the dashboard; mails are sent only with --notify. --dry-run shows what would be found and changes "
        "nothing. Safe to repeat. Exit code 0."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--since", type=moment, metavar="DATE", help="messages from this date or ISO time on")
        parser.add_argument("--until", type=moment, metavar="DATE", help="messages before this date or ISO time")
        parser.add_argument("--conversation", type=UUID, metavar="ID", help="one conversation only")
        parser.add_argument("--dry-run", action="store_true", help="only show what would be found")
        parser.add_argument("--search-index", action="store_true", help="fill the search index again instead")
        parser.add_argument("--notify", action="store_true", help="also notify supervisors of new alerts by e-mail")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["search_index"]:
            filling.clear()
            count = 0
            while added := filling.fill():
                count += added
                self.stderr.write(f"{count} messages indexed")
            self.stdout.write(f"{count} messages are in the search index")
            return
        rows = messages_to_rescan(since=options["since"], until=options["until"], conversation=options["conversation"])
        total = Rescanned()
        shown = 0
        for seen in rescan(rows, dry_run=options["dry_run"], notify=options["notify"], total=total):
            self.stdout.write(f"message {seen.message} of {seen.occurred_at:%Y-%m-%d %H:%M}: {', '.join(seen.kinds)}")
            if total.messages - shown >= _PROGRESS:
                shown = total.messages
                self.stderr.write(f"{shown} messages read")
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(total.findings.items())) or "nothing new"
        if total.noticed:
            kinds += f" ({total.noticed} of them only noticed)"
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(f"{total.messages} messages read; {would}found: {kinds}")
        if not options["dry_run"]:
            self.stdout.write(f"{len(total.alerts)} alerts affected, {opened(total)} of them open")
