"""``contact_guard_check``: check that the installation is complete and works."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from crm_contact_guard.installation.people import ROWS
from crm_contact_guard.installation.report import Item, Level
from crm_contact_guard.installation.walk import walk
from crm_contact_guard.installation.work import PATIENCE
from crm_contact_guard.management.command import GuardCommand


class Command(GuardCommand):
    help = (
        "Check this installation: settings, database and triggers, the adapter with real rows, pages, channels, worker "
        "and beat. Each problem is shown with its fix. With Celery, one event is recorded to check that it is sealed. "
        "Exit code 0 without errors (there may be warnings), otherwise 1."
    )
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="fix what is safe: migrations, triggers, mirror, tick")
        parser.add_argument(
            "--rows", type=int, default=ROWS, metavar="N", help="customers to check (default: %(default)s)"
        )
        parser.add_argument(
            "--test-send",
            action="append",
            default=[],
            type=_pair,
            metavar="ALIAS=ADDRESS",
            help="send a test message to an address of your own; may be repeated",
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=PATIENCE,
            metavar="SECONDS",
            help="time to wait for worker and beat (default: %(default)s)",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object per line instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = dict.fromkeys(Level, 0)
        limits = {name: options[name] for name in ("rows", "patience", "fix")}
        for item in walk(tests=options["test_send"], **limits):
            counts[item.level] += 1
            self.stdout.write(_json(item) if options["json"] else self._text(item))
        if not options["json"]:
            self.stdout.write(f"\n{counts[Level.ERROR]} errors, {counts[Level.WARNING]} warnings")
        if counts[Level.ERROR]:
            raise CommandError("This installation is not complete.", returncode=1)

    def _text(self, item: Item) -> str:
        style = {Level.FINE: self.style.SUCCESS, Level.WARNING: self.style.WARNING, Level.ERROR: self.style.ERROR}
        line = f"{style[item.level](f'{item.level.value:8}')}{item.topic}: {item.says}"
        return f"{line}\n          → {item.fix}" if item.fix else line


def _json(item: Item) -> str:
    fields = asdict(item)
    fields["mendable"] = fields.pop("mend") is not None
    return json.dumps(fields, ensure_ascii=False)


def _pair(text: str) -> tuple[str, str]:
    alias, equals, address = text.partition("=")
    if not (alias and equals and address):
        raise argparse.ArgumentTypeError(f"{text!r} does not have the form email=me@example.com")
    return alias, address
