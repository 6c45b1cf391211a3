"""``contact_guard_policy``: show the rules in force, list the versions, replay a decision, try rules on the past."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.utils import timezone

from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.policy import presets, rulebook
from crm_contact_guard.policy.rulebook import Rulebook
from crm_contact_guard.policy.versions.current import in_force
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.policy.versions.replaying import NotReplayable, replay
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.rehearsing.totals import Rehearsal
from crm_contact_guard.supervision.rehearsing.trying import rehearse


class Command(GuardCommand):
    help = (
        "Show the rules in force as JSON, list the versions, replay a recorded decision with the rules of its time, or "
        "tell what other rules would have done with past messages. "
        "Exit code: 0 done, 1 the replayed decision differs, 2 it can't be replayed, or there are no such rules."
    )
    failed = 2

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--tenant", default="", help="tenant (default: none)")
        parts = parser.add_subparsers(dest="part", required=True)
        parts.add_parser("show", help="the rules in force, as JSON")
        parts.add_parser("versions", help="all versions, newest first")
        again = parts.add_parser("replay", help="a decision, from its event")
        again.add_argument("event", type=UUID, help="ID of the event")
        trial = parts.add_parser("rehearse", help="what rules would have done, as JSON; changes nothing")
        which = trial.add_mutually_exclusive_group()
        which.add_argument("--industry", choices=presets.INDUSTRIES, help="try the preset of this industry")
        which.add_argument("--digest", help="try this version; without both, the rules in force are tried")
        trial.add_argument("--days", type=_days, default=90, help="days to look back, up to 3660 (default: 90)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["part"] == "replay":
            self._replay(options["event"])
        elif options["part"] == "rehearse":
            self._rehearse(options)
        elif options["part"] == "versions":
            for row in PolicyVersion.objects.filter(tenant=options["tenant"]).order_by("-valid_from", "-id"):
                when = row.valid_from.isoformat(timespec="seconds")
                self.stdout.write(f"{row.digest} {when} {row.origin} {row.state}")
        else:
            rules = in_force(options["tenant"]).rules
            text = json.dumps(json.loads(rules.text), ensure_ascii=False, indent=2)
            self.stdout.write(f"{text}\n{rules.digest}")

    def _rehearse(self, options: dict[str, Any]) -> None:
        until, total = timezone.now(), Rehearsal()
        rules, tenant = self._rules(options), options["tenant"]
        since = until - timedelta(days=options["days"])
        for done in rehearse(rules=rules, tenant=tenant, since=since, until=until, total=total):
            self.stderr.write(f"{done} messages")
        found = {
            "version": rules.digest,
            "since": since.isoformat(timespec="seconds"),
            **total.as_data(),
        }
        self.stdout.write(json.dumps(found, indent=2))

    def _rules(self, options: dict[str, Any]) -> Rulebook:
        if options["industry"]:
            return rulebook.from_preset(options["industry"])
        if not options["digest"]:
            return in_force(options["tenant"]).rules
        row = PolicyVersion.objects.filter(tenant=options["tenant"], digest=options["digest"]).first()
        if row is None:
            raise CommandError(f"There is no version {options['digest']}", returncode=self.failed)
        return rulebook.from_text(row.text)

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


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 3660:
        raise argparse.ArgumentTypeError("must be a number of days from 1 to 3660")
    return int(text)
