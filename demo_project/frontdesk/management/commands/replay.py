"""``replay FILE``: replays recorded conversations through the gateway and prints supervision's verdicts."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm_contact_guard.exceptions import ContactGuardError
from demo_project.frontdesk.models import User
from demo_project.frontdesk.replaying import InvalidThread, Thread, Verdict, read_thread, replay


class Command(BaseCommand):
    help = (
        "Replay conversations in the corpus' format (one JSON object per line) through the gateway: each gets a new "
        "guest and conversation, starting at 10:00 on the employee's next working day. All tasks run in this process. "
        "Prints one verdict per conversation. A line that can't be replayed is reported on standard error, the others "
        "are replayed, and the exit code is 1."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--jsonl", action="store_true", help="print the JSON lines only")
        parser.add_argument("--employee", default="employee", metavar="LOGIN", help="who answers (default: employee)")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["employee"]).first()
        if user is None:
            raise CommandError(f"There is no login {options['employee']!r}; run demo_data first")
        # A notice that can't be sent is retried later; a replay does not need those log messages.
        logging.getLogger().setLevel(logging.ERROR)
        failed = done = attempts = 0
        try:
            lines = options["file"].open("rb")
        except OSError as error:
            raise CommandError(f"Can't read {options['file']}: {error.strerror}", returncode=2) from error
        with lines:
            for number, raw in enumerate(lines, 1):
                if not raw.strip():
                    continue
                try:
                    thread = read_thread(raw.decode("utf-8-sig"))
                    verdict = replay(thread, user=user)
                except (InvalidThread, UnicodeDecodeError, ContactGuardError) as error:
                    failed += 1
                    self.stderr.write(f"line {number}: {error}")
                    continue
                done += 1
                attempts += verdict.attempt
                self.stdout.write(verdict.as_json(), ending="\n")
                if not options["jsonl"]:
                    self.stdout.write("    " + " ".join(_words(thread, verdict)))
                self.stdout.flush()
        if not options["jsonl"]:
            self.stdout.write(f"{done} conversations replayed, {attempts} with an attempt, {failed} lines not replayed")
        if failed:
            sys.exit(1)


def _words(thread: Thread, verdict: Verdict) -> Iterator[str]:
    yield f"{thread.id}:"
    if verdict.attempt and verdict.at is not None:
        text = " ".join(thread.lines[verdict.at].text.split())
        yield f"alert, by the {verdict.by}, at message {verdict.at}: {text[:80]}"
    else:
        yield "no attempt"
