"""``contact_guard_verify``: check the record against what was sealed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.sealing.keys import DEMO_KEY
from crm_contact_guard.verification.whole_record import Fault, Report, verify


class Command(GuardCommand):
    help = (
        "Check that no row of the record was altered, removed, swapped, duplicated or added: every row against its "
        "leaf, the tree against its signatures, and both against the witnesses' checkpoints. Hashes are computed "
        "outside the database. Exit code: 0 no fault, 1 faults, 2 the check could not be run."
    )
    failed = 2

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--since",
            type=Path,
            action="append",
            default=[],
            metavar="CHECKPOINT",
            help="file with an older signed checkpoint; may be repeated",
        )
        parser.add_argument(
            "--in-database", action="store_true", help="quick check: PostgreSQL hashes the rows and is trusted"
        )
        parser.add_argument("--files", action="store_true", help="also read the stored files")
        parser.add_argument("--no-progress", action="store_true", help="do not show progress")

    def handle(self, *args: Any, **options: Any) -> None:
        self.progress = not options["no_progress"] and options["verbosity"] > 0 and self.stderr.isatty()
        try:
            since = [path.read_text(encoding="utf-8") for path in options["since"]]
            report = verify(
                since=since,
                in_database=options["in_database"],
                file_contents=options["files"],
                on_fault=self.show_fault,
                on_progress=self.show_progress,
            )
        except (OSError, UnicodeDecodeError, ConfigurationError, DatabaseError, InterfaceError) as error:
            raise CommandError(str(error), returncode=2) from error
        self.show_summary(report)
        if not report.holds:
            raise CommandError(f"{report.fault_count} do not hold. The first: {report.faults[0]}", returncode=1)
        self.stdout.write("All holds.")

    def show_fault(self, fault: Fault) -> None:
        if self.progress:
            self.stderr.write("\r\033[K", ending="")
        self.stdout.write(f"DOES NOT HOLD  {fault}")

    def show_progress(self, done: int, size: int) -> None:
        if self.progress:
            self.stderr.write(f"\r{done:,} of {size:,} leaves", ending="")

    def show_summary(self, report: Report) -> None:
        if self.progress:
            self.stderr.write("\r\033[K", ending="")
        head = report.checkpoint
        if head is not None:
            self.stdout.write(f"record      {head.origin}, {head.size} leaves, root {head.root.hex()}")
        rows = report.rows
        self.stdout.write(
            f"checked     {rows['message']} messages and {rows['event']} events; {report.erased} with erased values, "
            f"{report.pending} not sealed yet"
        )
        for key, seals in report.signers.items():
            self.stdout.write(f"signed by   {key.name}, fingerprint {key.fingerprint} ({seals} checkpoints)")
            if key == DEMO_KEY.verifier:
                self.stdout.write("DEMO KEY    this key is public: these signatures prove nothing")
        for name, size in report.witnessed:
            self.stdout.write(f"witness     {name}: the record begins with the {size} leaves of its checkpoint")
        for name, what in report.notes:
            self.stdout.write(f"NOTE        {name} {what}")
        if not report.witnessed:
            self.stdout.write(
                "NO WITNESS  no external checkpoint was compared: a rolled-back database would not be detected"
            )
