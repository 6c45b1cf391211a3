"""``contact_guard_figures``: keep the figures in step with the record, count them anew, or compare them with it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from crm_contact_guard.figures import keeping
from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.record.models import Conversation


class Command(GuardCommand):
    help = (
        "Count the days again on which something changed (update), or all of them (rebuild), or compare every figure "
        "with what the record says now (check). All tenants, unless one is given. "
        "Exit code: 0 done, 1 figures differ, 2 failed."
    )
    failed = 2

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("part", choices=("update", "rebuild", "check"))
        parser.add_argument("--tenant", help="only this tenant")

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = (
            [options["tenant"]]
            if options["tenant"] is not None
            else list(Conversation.objects.order_by().values_list("tenant", flat=True).distinct())
        )
        if options["part"] == "check":
            faults = [(tenant, *one) for tenant in tenants for one in keeping.differences(tenant)]
            for tenant, key, kept, counted in faults:
                self.stdout.write(f"{tenant} {' '.join(map(str, key))}: {kept} instead of {counted}".strip())
            if faults:
                sys.exit(1)
            self.stdout.write("same")
            return
        work = keeping.rebuild if options["part"] == "rebuild" else keeping.update
        self.stdout.write(f"{sum(work(tenant) for tenant in tenants)} days counted")
