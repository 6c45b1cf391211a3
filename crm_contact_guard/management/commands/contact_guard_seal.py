"""``contact_guard_seal``: seal pending rows, once or in a loop."""

from __future__ import annotations

import argparse
import signal
import threading
from typing import Any

from django.core.management.base import CommandError

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.sealing import sealer, witnessing


class Command(GuardCommand):
    help = (
        "Add pending rows to the tree and sign the tree head. Celery's beat does this every second; without beat, run "
        "it by cron, or as a separate process with --every. Safe to run concurrently. "
        "Exit code: 0 sealed, 1 refused since the tree was tampered with, 2 no usable key."
    )
    failed = 2

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--every", type=float, metavar="SECONDS", help="repeat until SIGINT or SIGTERM")
        parser.add_argument("--checkpoint", action="store_true", help="print the signed checkpoint")
        parser.add_argument("--witness", action="store_true", help="send the checkpoint to all witnesses now")

    def handle(self, *args: Any, **options: Any) -> None:
        ended = threading.Event()
        if options["every"]:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: ended.set())
        while True:
            self.seal_once(options)
            if not options["every"] or ended.wait(options["every"]):
                return

    def seal_once(self, options: dict[str, Any]) -> None:
        try:
            done = sealer.seal()
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=2) from error
        except sealer.SealingRefused as error:
            raise CommandError(f"{error}. Run contact_guard_verify.", returncode=1) from error
        if done.rows or not options["every"]:
            self.stderr.write(f"Sealed {done.rows} rows; the record has {done.size} leaves.")
        if options["checkpoint"]:
            self.stdout.write(done.checkpoint)
        if options["witness"]:
            for alias in witnessing.keep_all():
                self.stderr.write(f"Sent to {alias}.")
