"""``contact_guard_status``: print the current state of the installation."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import CommandError

from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.monitoring.exposition import PrometheusMissing, exposition
from crm_contact_guard.monitoring.health import measure_json
from crm_contact_guard.monitoring.measuring import measures


class Command(GuardCommand):
    help = (
        "Print the monitoring measures: backlogs, sealing, carriers, witnesses, open alerts. Changes nothing. "
        "Exit code 0 if all are within their limits, otherwise 1."
    )
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="one JSON object per line instead of text")
        form.add_argument(
            "--prometheus",
            action="store_true",
            help="in Prometheus' format, for node_exporter's textfile collector (extra prometheus)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        current = list(measures())
        if options["prometheus"]:
            try:
                self.stdout.write(exposition(current).decode())
            except PrometheusMissing as missing:
                raise CommandError(str(missing)) from missing
            return
        for measure in current:
            if options["json"]:
                self.stdout.write(json.dumps(measure_json(measure), ensure_ascii=False))
                continue
            style = self.style.SUCCESS if measure.is_fine else self.style.ERROR
            name = measure.name + "".join(f" {value}" for value in measure.labels.values())
            self.stdout.write(f"{style('ok   ' if measure.is_fine else 'over ')} {name}: {measure.value:g}")
            if not measure.is_fine:
                self.stdout.write(f"      {measure.says}; at most {measure.limit:g}\n      → {measure.fix}")
        if not all(measure.is_fine for measure in current):
            raise CommandError("At least one measure is over its limit.", returncode=1)
