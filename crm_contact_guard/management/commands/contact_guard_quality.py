"""``contact_guard_quality``: draw the sample for review, repeat a draw, and report what reviews show."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.supervision.quality import drawing
from crm_contact_guard.supervision.quality.agreement import Agreement
from crm_contact_guard.supervision.quality.assigning import second_reviews_reassign
from crm_contact_guard.supervision.quality.models import SampleDraw
from crm_contact_guard.supervision.quality.precision import precisions
from crm_contact_guard.supervision.quality.redrawing import redraw
from crm_contact_guard.supervision.quality.report import quality


class Command(GuardCommand):
    help = (
        "Draw the weeks whose sample is due; repeat a recorded draw, as an auditor does; or report, as JSON, how much "
        "was missed at most, how far second reviews agree, and how often each rule was right. "
        "Exit code: 0 done, 1 the draw differs, 2 there is no such draw, or no key to draw with."
    )
    failed = 2

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        parts.add_parser("draw", help="draw the weeks that are due, in all tenants")
        again = parts.add_parser("redraw", help="repeat a draw and compare")
        again.add_argument("period", help="ISO week, such as 2026-W48")
        again.add_argument("--key", type=_key, help="the key that an auditor was given, in hexadecimal")
        told = parts.add_parser("report", help="the results, as JSON")
        told.add_argument("--days", type=int, default=365, help="days to look back (default: 365)")
        for part in (again, told):
            part.add_argument("--tenant", default="", help="tenant (default: none)")

    def handle(self, *args: Any, **options: Any) -> None:
        {"draw": self._draw, "redraw": self._redraw, "report": self._report}[options["part"]](options)

    def _draw(self, options: dict[str, Any]) -> None:
        if drawing.secret() is None:
            raise CommandError("Set SAMPLE_KEY or SIGNING_KEY first", returncode=self.failed)
        done = drawing.draw_due(timezone.now())
        self.stdout.write(f"{done} draws, {second_reviews_reassign()} second reviews reassigned")

    def _redraw(self, options: dict[str, Any]) -> None:
        draw = SampleDraw.objects.filter(tenant=options["tenant"], period=options["period"]).first()
        if draw is None:
            raise CommandError(f"Nothing was drawn for {options['period']}", returncode=self.failed)
        faults = list(redraw(draw, options["key"]))
        self.stdout.write("\n".join(faults) if faults else "same")
        self.stdout.write(f"{draw.drawn} of {draw.frame} conversations, chance {draw.chance:.6f}; key {draw.key}")
        if faults:
            sys.exit(1)

    def _report(self, options: dict[str, Any]) -> None:
        since = timezone.now() - timedelta(days=options["days"])
        found = quality(options["tenant"], since)
        rules = [
            {
                **one.rule._asdict(),
                "right": one.share.part,
                "judged": one.share.whole,
                "interval": [round(bound, 4) for bound in one.share.bounds],
                "silent": one.silent,
                "proposed": one.proposed,
            }
            for one in precisions(options["tenant"], since)
        ]
        told = {
            "conversations": found.frame,
            "drawn": found.drawn,
            "read": found.missed.read,
            "missed": found.missed.missed,
            "at most missed (95 %)": round(found.missed.at_most, 4),
            "second reviews": {"drawn": found.second_drawn, **_agreed(found.second)},
            "rules": rules,
        }
        self.stdout.write(json.dumps(told, indent=2))


def _agreed(found: Agreement) -> dict[str, Any]:
    return {
        "given": found.same.whole,
        "same": found.same.part,
        "ac1": None if found.ac1 is None else round(found.ac1, 4),
        "counts": {f"{first} {second}": number for (first, second), number in sorted(found.counts.items())},
    }


def _key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be hexadecimal") from None
