"""``contact_guard_subject``: disclose or erase a customer's data on request."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from crm_contact_guard.directory.models import Customer
from crm_contact_guard.exports import subject
from crm_contact_guard.management.command import GuardCommand


class Command(GuardCommand):
    help = (
        "Disclose (--disclose FILE: all data of one customer as JSON) or erase (--erase --reason TEXT) a customer's "
        "data. Messages under a legal hold are counted and kept. "
        "Exit code: 0 done, 2 a legal hold kept messages, 1 error."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("customer", help="the customer's key in the CRM, or id in this app")
        parser.add_argument("--disclose", type=Path, metavar="FILE")
        parser.add_argument("--erase", action="store_true")
        parser.add_argument("--reason", default="", help="reason for the erasure; recorded")

    def handle(self, *args: Any, **options: Any) -> None:
        customer = subject.find(options["customer"])
        if customer is None:
            raise CommandError(f"There is no customer {options['customer']!r}")
        if not options["disclose"] and not options["erase"]:
            self._overview(customer)
        if options["disclose"]:
            self._disclose(customer, options["disclose"])
        if options["erase"]:
            if not options["reason"].strip():
                raise CommandError("--reason is required: it is recorded with the erasure")
            self._erase(customer, options["reason"].strip())

    def _overview(self, customer: Customer) -> None:
        kept = subject.overview(customer)
        self.stdout.write(
            f"{customer.name}: {kept.messages} messages in {kept.conversations} conversations, {kept.files} files, "
            f"{kept.held} messages under a legal hold"
        )

    def _disclose(self, customer: Customer, path: Path) -> None:
        try:
            with path.open("x", encoding="utf-8") as target:
                count = subject.disclose(customer, target)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        self.stdout.write(f"{count} messages written to {path}")

    def _erase(self, customer: Customer, reason: str) -> None:
        done = subject.erase(customer, reason=reason)
        self.stdout.write(f"{done.erased} messages erased")
        if done.held:
            self.stderr.write(f"{done.held} messages are under a legal hold and were kept")
            raise SystemExit(2)
