"""``contact_guard_keygen``: create the key that signs the record."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import CommandError

from crm_contact_guard.conf import settings
from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.proof.errors import KeyMalformed
from crm_contact_guard.proof.notes import SigningKey


class Command(GuardCommand):
    help = (
        "Create the key that signs the record. The private key is written to FILE (mode 600), the public key to "
        "standard output: give it to your auditor now, by a channel other than the record itself."
    )
    #: A new installation has no key yet, so the checks would fail.
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="file for the private key; must not exist")
        parser.add_argument(
            "--name",
            default=f"{urlsplit(str(settings.PUBLIC_URL)).hostname or 'localhost'}/contact-guard",
            help="name of the key and of the record (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = SigningKey.generate(options["name"])
            descriptor = os.open(options["file"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise CommandError(f"{options['file']} exists; a key is never overwritten", returncode=2) from error
        except OSError as error:
            raise CommandError(f"{options['file']} can't be written: {error.strerror}", returncode=2) from error
        except KeyMalformed as error:
            raise CommandError(str(error), returncode=2) from error
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{key.to_text()}\n")
        self.stderr.write(
            f"The private key is in {options['file']}. Keep a copy offline and set "
            f'CONTACT_GUARD["SIGNING_KEY"] to that path.\n'
            f"Fingerprint, to compare by phone: {key.verifier.fingerprint}\n"
            "When you replace the key, add this public key to VERIFICATION_KEYS:"
        )
        self.stdout.write(key.verifier.to_text())
