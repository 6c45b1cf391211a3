"""``contact_guard_init``: propose initial settings from the host's models."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.installation.proposing.proposal import propose
from crm_contact_guard.management.command import GuardCommand

_NEXT = """
# urls.py, before a pattern that catches every path
#     path("guard/", include("crm_contact_guard.urls")),
#
# Then:
#     manage.py contact_guard_keygen {key}
#     manage.py migrate
#     manage.py contact_guard_sync
#     manage.py contact_guard_check
"""


class Command(GuardCommand):
    help = (
        "Print a CONTACT_GUARD block for settings.py, guessed from this project's models, and the next steps. "
        "Changes nothing. Exit code 0, or 1 if the model given by --customer does not exist."
    )
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--customer", default="", metavar="APP.MODEL", help="the customer model (default: guessed)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            proposal = propose(options["customer"])
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"# settings.py: customers are {proposal.customer}; review it before use")
        if proposal.others:
            self.stdout.write(f"# (choose another one with --customer: {', '.join(proposal.others)})")
        for doubt in proposal.open:
            self.stdout.write(f"# TO DECIDE: {doubt}")
        self.stdout.write(proposal.block)
        self.stdout.write(_NEXT.format(key="/etc/contact-guard.key"))
