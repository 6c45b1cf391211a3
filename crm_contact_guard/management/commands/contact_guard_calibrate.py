"""``contact_guard_calibrate``: what to set, by one's own record and by what people made of its alerts."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from getpass import getuser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm_contact_guard.calibration import telling
from crm_contact_guard.calibration.calibrating import calibrate
from crm_contact_guard.calibration.confirming import NotWritten, confirm
from crm_contact_guard.calibration.contacts import Contact
from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.management.moments import moment

_PROGRESS = 100


class Command(GuardCommand):
    help = (
        "Read the recorded messages and the closed alerts again and propose thresholds for warning and for noticing, "
        "with what each would have cost; contacts that are probably the company's own; and phrases of false alarms. "
        "A dry run: only --confirm FILE writes, and it writes the contacts into that file and who confirmed them into "
        "the record. Exit code: 0 done, 1 nothing to learn from or nothing to confirm, 2 not done."
    )
    failed = 2

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--since", type=moment, metavar="DATE", help="from this day or ISO time on")
        parser.add_argument("--tenant", help="of this tenant only")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
        parser.add_argument("--show", action="store_true", help="contacts in full instead of masked")
        parser.add_argument(
            "--confirm",
            type=Path,
            metavar="FILE",
            help="add the proposed contacts to this TOML file, as COMPANY_RULES reads it; made where it is missing",
        )
        parser.add_argument(
            "--leave-out",
            action="append",
            default=[],
            metavar="CONTACT",
            help="with --confirm: not this one, written as --show shows it; may be given several times",
        )
        parser.add_argument("--no-progress", action="store_true", help="say nothing until the end")

    def handle(self, *args: Any, **options: Any) -> None:
        self.progress = not options["no_progress"] and options["verbosity"] > 0 and self.stderr.isatty()
        made = calibrate(since=options["since"], tenant=options["tenant"], progress=self.show_progress)
        if self.progress:
            self.stderr.write("\r\033[K", ending="")
        if not made.messages:
            raise CommandError(_("No message was recorded in this period: there is nothing to learn from."))
        kept = self.kept(made.contacts, options["leave_out"])
        data = telling.data(made, show=options["show"])
        if not options["json"]:
            self.stdout.write("\n".join(telling.told(made, show=options["show"])))
        if options["confirm"] is not None:
            added = self.confirm(kept, options["confirm"], options["tenant"] or "")
            data["confirmed"] = {name: len(values) for name, values in added.items()}
            count = sum(data["confirmed"].values())
            words = ngettext(
                "%(count)d contact written to %(file)s", "%(count)d contacts written to %(file)s", count
            ) % {"count": count, "file": options["confirm"]}
            (self.stderr if options["json"] else self.stdout).write(words)
        if options["json"]:
            self.stdout.write(json.dumps(data, ensure_ascii=False))

    def kept(self, contacts: Sequence[Contact], left_out: Sequence[str]) -> list[Contact]:
        """The proposed contacts without those that the person does not want."""
        unknown = set(left_out) - {one.value for one in contacts}
        if unknown:
            words = _("%(contact)s is not among the proposed contacts; --show lists them.")
            raise CommandError(words % {"contact": ", ".join(sorted(unknown))}, returncode=2)
        return [one for one in contacts if one.value not in left_out]

    def confirm(self, contacts: Sequence[Contact], path: Path, tenant: str) -> dict[str, list[str]]:
        try:
            added = confirm(contacts, path=path, operator=f"command:{getuser()}"[:64], tenant=tenant)
        except NotWritten as error:
            raise CommandError(_("Nothing was written. %(why)s") % {"why": error}, returncode=2) from error
        if not added:
            raise CommandError(_("There is no contact to confirm that the file does not hold."), returncode=1)
        return added

    def show_progress(self, messages: int) -> None:
        if self.progress and messages % _PROGRESS == 0:
            self.stderr.write("\r" + _("%(messages)s messages read") % {"messages": f"{messages:,}"}, ending="")
