"""``contact_guard_targets``: the systems that are told about alerts, cases and exports; their log; sending again."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.management.moments import moment
from crm_contact_guard.notices import replaying, targets
from crm_contact_guard.notices.models import Notice


class Command(GuardCommand):
    help = (
        "List the targets in the setting NOTIFY, or show what was sent to one (--log), or send again what did not "
        "reach it (--replay). A webhook that is sent again keeps its ID. Exit code 0, or 1 for an unknown target."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--log", metavar="NAME", help="show the newest notices to this target")
        what.add_argument("--replay", metavar="NAME", help="send again what has not reached this target")
        parser.add_argument("--limit", type=int, default=50, help="how many notices --log shows")
        parser.add_argument("--since", type=moment, metavar="DATE", help="notices from this date or ISO time on")
        parser.add_argument("--id", type=int, action="append", default=[], help="this notice, even if it was sent")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["log"] or options["replay"]
        if name and targets.named(name) is None:
            raise CommandError(f"The settings have no target {name!r}; they have: {', '.join(targets.names()) or '-'}")
        if options["replay"]:
            count = replaying.replay(name, since=options["since"], ids=options["id"])
            self.stdout.write(f"{count} notices will be sent again")
        elif options["log"]:
            rows = replaying.log(name)
            rows = rows.filter(created_at__gte=options["since"]) if options["since"] else rows
            for notice in rows[: options["limit"]]:
                self.stdout.write(_line(notice))
        else:
            for target in targets.names():
                rows = replaying.log(target)
                sent = rows.filter(state=Notice.State.SENT).count()
                state = "off" if targets.is_off(target) else "failing" if targets.first_failure(target) else "on"
                self.stdout.write(f"{target}: {state}, {sent} sent, {rows.filter(state='failed').count()} failed")


def _line(notice: Notice) -> str:
    at = notice.sent_at or notice.created_at
    why = f" ({notice.last_error})" if notice.last_error else ""
    tries = f"{notice.attempts} attempt{'' if notice.attempts == 1 else 's'}"
    return f"{notice.pk} {at:%Y-%m-%d %H:%M:%S} {notice.topic} {notice.subject_id}: {notice.state}, {tries}{why}"
