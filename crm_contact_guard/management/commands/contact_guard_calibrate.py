"""``contact_guard_calibrate``: propose settings from the record and the closed alerts."""

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
        "Read the recorded messages and the closed alerts and propose thresholds for alerts and for noticing, with the "
        "errors each would have made; contacts that are probably the company's own; and phrases of false alarms. "
        "Changes nothing without --confirm FILE, which writes the contacts to that file and records who confirmed "
        "them. Exit code: 0 done, 1 no data to learn from or no contacts to confirm, 2 failed."
    )
    failed = 2

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--since", type=moment, metavar="DATE", help="messages from this date or ISO time on")
        parser.add_argument("--tenant", help="only this tenant")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
        parser.add_argument("--show", action="store_true", help="show contacts unmasked")
        parser.add_argument(
            "--confirm",
            type=Path,
            metavar="FILE",
            help="add the proposed contacts to this TOML file (in the format of COMPANY_RULES); created if missing",
        )
        parser.add_argument(
            "--leave-out",
            action="append",
            default=[],
            metavar="CONTACT",
            help="with --confirm: exclude this contact, written as shown by --show; may be repeated",
        )
        parser.add_argument("--no-progress", action="store_true", help="do not show progress")

    def handle(self, *args: Any, **options: Any) -> None:
        self.progress = not options["no_progress"] and options["verbosity"] > 0 and self.stderr.isatty()
        made = calibrate(since=options["since"], tenant=options["tenant"], progress=self.show_progress)
        if self.progress:
            self.stderr.write("\r\033[K", ending="")
        if not made.messages:
            raise CommandError(_("No message was recorded in this period: there is nothing to learn from."))
        selected = self.selected(made.contacts, options["leave_out"])
        data = telling.data(made, show=options["show"])
        if not options["json"]:
            self.stdout.write("\n".join(telling.told(made, show=options["show"])))
        if options["confirm"] is not None:
            added = self.confirm(selected, options["confirm"], options["tenant"] or "")
            data["confirmed"] = {name: len(values) for name, values in added.items()}
            count = sum(data["confirmed"].values())
            words = ngettext(
                "%(count)d contact written to %(file)s", "%(count)d contacts written to %(file)s", count
            ) % {"count": count, "file": options["confirm"]}
            (self.stderr if options["json"] else self.stdout).write(words)
        if options["json"]:
            self.stdout.write(json.dumps(data, ensure_ascii=False))

    def selected(self, contacts: Sequence[Contact], left_out: Sequence[str]) -> list[Contact]:
        """Return the proposed contacts without the excluded ones. Raises CommandError for an unknown exclusion."""
        unknown = set(left_out) - {contact.value for contact in contacts}
        if unknown:
            words = _("%(contact)s is not among the proposed contacts; --show lists them.")
            raise CommandError(words % {"contact": ", ".join(sorted(unknown))}, returncode=2)
        return [contact for contact in contacts if contact.value not in left_out]

    def confirm(self, contacts: Sequence[Contact], path: Path, tenant: str) -> dict[str, list[str]]:
        try:
            added = confirm(contacts, path=path, operator=f"command:{getuser()}"[:64], tenant=tenant)
        except NotWritten as error:
            raise CommandError(_("Nothing was written. %(why)s") % {"why": error}, returncode=2) from error
        if not added:
            raise CommandError(_("There are no new contacts to confirm."), returncode=1)
        return added

    def show_progress(self, messages: int) -> None:
        if self.progress and messages % _PROGRESS == 0:
            self.stderr.write("\r" + _("%(messages)s messages read") % {"messages": f"{messages:,}"}, ending="")
