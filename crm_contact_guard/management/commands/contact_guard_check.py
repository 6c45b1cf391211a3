"""``contact_guard_check``: is this installation complete?"""

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
        "Walk through this installation: settings, database and triggers, the adapter against real rows, pages, "
        "channels, worker and beat. Each finding comes with its fix. Where Celery is used, one event is recorded, to "
        "see it sealed. Exit code 0 when nothing is broken (warnings may stand), else 1."
    )
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="mend what is safe: migrations, triggers, mirror, tick")
        parser.add_argument(
            "--rows", type=int, default=ROWS, metavar="N", help="customers to look at (default: %(default)s)"
        )
        parser.add_argument(
            "--test-send",
            action="append",
            default=[],
            type=_pair,
            metavar="ALIAS=ADDRESS",
            help="send a test message over a channel to an address of your own; may be repeated",
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=PATIENCE,
            metavar="SECONDS",
            help="how long worker and beat may take (default: %(default)s)",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = dict.fromkeys(Level, 0)
        asked = {name: options[name] for name in ("rows", "patience", "fix")}
        for item in walk(tests=options["test_send"], **asked):
            counts[item.level] += 1
            self.stdout.write(_json(item) if options["json"] else self._words(item))
        if not options["json"]:
            self.stdout.write(f"\n{counts[Level.ERROR]} errors, {counts[Level.WARNING]} warnings")
        if counts[Level.ERROR]:
            raise CommandError("This installation is not complete.", returncode=1)

    def _words(self, item: Item) -> str:
        style = {Level.FINE: self.style.SUCCESS, Level.WARNING: self.style.WARNING, Level.ERROR: self.style.ERROR}
        line = f"{style[item.level](f'{item.level.value:8}')}{item.topic}: {item.says}"
        return f"{line}\n          → {item.fix}" if item.fix else line


def _json(item: Item) -> str:
    known = asdict(item)
    known["mendable"] = known.pop("mend") is not None
    return json.dumps(known, ensure_ascii=False)


def _pair(text: str) -> tuple[str, str]:
    alias, found, address = text.partition("=")
    if not (alias and found and address):
        raise argparse.ArgumentTypeError(f"{text!r} is not like email=me@example.com")
    return alias, address
