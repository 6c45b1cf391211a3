"""``contact_guard_reconcile``: compare the record with the carriers' logs."""

from __future__ import annotations

import argparse
import sys
from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError

from crm_contact_guard.dispatch import inline
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.intake.reconciling import Reconciled, channels, reconcile, yesterday
from crm_contact_guard.management.command import GuardCommand


class Command(GuardCommand):
    help = (
        "Compare the record with the carrier's log, per channel and day (UTC). Missing messages that can be fetched "
        "are recorded; the others are listed, recorded as gaps and reported to compliance officers. "
        "Exit code: 0 complete, 1 gaps, 2 a carrier's log could not be read."
    )
    failed = 2

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--channel", action="append", default=[], help="alias; may be repeated (default: all)")
        parser.add_argument("--day", type=_day, default=None, help="last day, YYYY-MM-DD (default: yesterday)")
        parser.add_argument("--days", type=int, default=1, help="number of days up to that one (default: 1)")
        parser.add_argument("--dry-run", action="store_true", help="only list; record nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        last = options["day"] or yesterday()
        if not 0 < options["days"] <= 400:
            raise CommandError("--days must be between 1 and 400")
        try:
            selected = channels(options["channel"])
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        code = 0
        for channel in selected:
            for back in reversed(range(options["days"])):
                with inline():
                    result = reconcile(channel, last - timedelta(days=back), dry_run=options["dry_run"])
                self._show(result)
                code = max(code, 2 if result.error else int(not result.complete and result.asked))
        if code:
            sys.exit(code)

    def _show(self, result: Reconciled) -> None:
        where = f"{result.channel} {result.day.isoformat()}"
        if not result.asked:
            self.stdout.write(f"{where}: the carrier has no log")
            return
        counts = f"{result.carried} carried, {len(result.fetched)} fetched, {len(result.gaps)} missing"
        self.stdout.write(f"{where}: {counts}" + (f"; then: {result.error}" if result.error else ""))
        for gap in result.gaps:
            direction = "from the customer" if gap.inbound else "to the customer"
            self.stdout.write(f"  {gap.occurred_at.isoformat(timespec='seconds')} {direction} {gap.carrier_id}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write YYYY-MM-DD") from error
