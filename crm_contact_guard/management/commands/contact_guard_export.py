"""``contact_guard_export``: write a bundle that an auditor can verify without this product."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.exports.bundle import Filters, Written, bundle_write
from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.proof.canonical import MESSAGE_PERSONAL
from crm_contact_guard.proof.errors import NoteBroken, TileBroken
from crm_contact_guard.sealing.sealer import SealingRefused


class Command(GuardCommand):
    help = (
        "Write the record, optionally filtered, as a bundle: rows, proofs, keys, files and a signed manifest in one "
        "zip, which `python -m crm_contact_guard.proof FILE` verifies. The export is recorded and the record sealed "
        "first. Exit code: 0 written, 1 written but sealed rows or files are missing, 2 not written."
    )
    failed = 2

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the zip to write")
        parser.add_argument("--tenant", help="export only this tenant")
        for name in ("customer", "employee", "conversation"):
            parser.add_argument(f"--{name}", type=UUID, metavar="ID", help=f"export only this {name} (id in this app)")
        parser.add_argument(
            "--from", type=_moment, dest="occurred_from", metavar="TIME", help="ISO 8601, UTC without an offset"
        )
        parser.add_argument("--before", type=_moment, dest="occurred_before", metavar="TIME", help="as --from")
        parser.add_argument(
            "--redact",
            action="append",
            default=[],
            choices=MESSAGE_PERSONAL,
            metavar="FIELD",
            help=f"omit a personal field's values, keep its digests: {', '.join(MESSAGE_PERSONAL)}",
        )
        parser.add_argument("--no-attachments", action="store_true", help="omit files")
        parser.add_argument(
            "--since",
            type=Path,
            action="append",
            default=[],
            metavar="CHECKPOINT",
            help="a checkpoint that the auditor has",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("tenant", "customer", "employee", "conversation", "occurred_from", "occurred_before")
        out: Path = options["out"]
        part = out.with_name(f"{out.name}.part")
        try:
            since = [path.read_text(encoding="utf-8") for path in options["since"]]
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                written = bundle_write(
                    file,
                    filters=Filters(**{name: options[name] for name in names}),
                    redacted=options["redact"],
                    attachments=not options["no_attachments"],
                    since=since,
                    actor=f"command:{getuser()}"[:64],
                    tenant=options["tenant"] or "",
                )
            part.replace(out)
        except OSError as error:
            part.unlink(missing_ok=True)
            reason = f"{error.filename or out}: {error.strerror}" if error.strerror else str(error)
            raise CommandError(f"Nothing was written. {reason}", returncode=2) from error
        except (UnicodeDecodeError, ConfigurationError, SealingRefused, NoteBroken, TileBroken) as error:
            part.unlink(missing_ok=True)
            raise CommandError(str(error), returncode=2) from error
        self.show(out, written)

    def show(self, out: Path, written: Written) -> None:
        self.stdout.write(f"{out}: {written.messages} messages and {written.events} events")
        for name in written.unreadable:
            self.stderr.write(f"Omitted, since it differs from the sealed file: {name}")
        if written.missing:
            self.stderr.write(f"{written.missing} sealed rows are missing from the database.")
        if written.missing or written.unreadable:
            raise CommandError("The record is incomplete: run contact_guard_verify.", returncode=1)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO 8601 time such as 2026-11-24T09:00") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
