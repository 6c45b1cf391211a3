"""``contact_guard_policy``: show the rules in force, list the versions, replay a decision."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.policy.versions.current import in_force
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.policy.versions.replaying import NotReplayable, replay
from crm_contact_guard.record.models import Event


class Command(GuardCommand):
    help = (
        "Show the rules in force as JSON, list the versions, or replay a recorded decision with the rules of its time. "
        "Exit code: 0 done, 1 the replayed decision differs, 2 it can't be replayed."
    )
    failed = 2

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--tenant", default="", help="tenant (default: none)")
        parts = parser.add_subparsers(dest="part", required=True)
        parts.add_parser("show", help="the rules in force, as JSON")
        parts.add_parser("versions", help="all versions, newest first")
        again = parts.add_parser("replay", help="a decision, from its event")
        again.add_argument("event", type=UUID, help="ID of the event")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["part"] == "replay":
            self._replay(options["event"])
        elif options["part"] == "versions":
            for row in PolicyVersion.objects.filter(tenant=options["tenant"]).order_by("-valid_from", "-id"):
                when = row.valid_from.isoformat(timespec="seconds")
                self.stdout.write(f"{row.digest} {when} {row.origin} {row.state}")
        else:
            rules = in_force(options["tenant"]).rules
            text = json.dumps(json.loads(rules.text), ensure_ascii=False, indent=2)
            self.stdout.write(f"{text}\n{rules.digest}")

    def _replay(self, key: UUID) -> None:
        event = Event.objects.filter(pk=key).first()
        if event is None:
            raise CommandError(f"There is no event {key}", returncode=self.failed)
        try:
            found = replay(event)
        except NotReplayable as error:
            raise CommandError(str(error), returncode=self.failed) from error
        word = "same" if found.is_same else "differs"
        self.stdout.write(f"{word}: recorded {found.recorded} by {', '.join(found.recorded_rules) or 'no rule'}")
        self.stdout.write(f"replayed {found.action} by {', '.join(found.rules) or 'no rule'}, version {found.version}")
        if not found.is_same:
            sys.exit(1)
