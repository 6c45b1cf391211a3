"""``contact_guard_receive_mail``: the process that takes customers' mail, by SMTP or LMTP."""

from __future__ import annotations

import argparse
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.mail_server import controller


class Command(BaseCommand):
    help = (
        "Receive customers' e-mail: an SMTP (or, with --lmtp, LMTP) server that your mail system relays the reply "
        "addresses to. Ends on SIGINT or SIGTERM. Mail that can't be recorded is refused with 451: its sender keeps it."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--channel", default="email", help="alias of the e-mail channel (default: email)")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8024)
        parser.add_argument("--lmtp", action="store_true", help="speak LMTP (RFC 2033) instead of SMTP")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            channel = registry.channel(options["channel"])
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        if not isinstance(channel, EmailChannel):
            raise CommandError(f"Channel {options['channel']!r} is not an e-mail channel")
        server = controller(channel, host=options["host"], port=options["port"], lmtp=options["lmtp"])
        try:
            server.start()
        except OSError as error:
            raise CommandError(f"Can't listen on {options['host']}:{options['port']}: {error}") from error
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        protocol = "LMTP" if options["lmtp"] else "SMTP"
        self.stdout.write(f"Receiving mail by {protocol} on {options['host']}:{options['port']}")
        self.stdout.flush()
        ended.wait()
        server.stop()
