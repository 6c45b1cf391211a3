"""``contact_guard_receive_mail``: receive customers' mail by SMTP or LMTP, or poll a mailbox."""

from __future__ import annotations

import argparse
import signal
import threading
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError, close_old_connections

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.exceptions import ChannelError, ConfigurationError
from crm_contact_guard.intake.mail_polling import MOST, poll
from crm_contact_guard.intake.mail_server import controller
from crm_contact_guard.management.command import GuardCommand


class Command(GuardCommand):
    help = (
        "Receive customers' e-mail: run an SMTP (or, with --lmtp, LMTP) server to which your mail system relays mail "
        "for the reply addresses. Mail that can't be recorded is refused with 451, so that the sender retries. With "
        "--imap, poll the channel's mailbox instead. Stops on SIGINT or SIGTERM."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--channel", default="email", help="alias of the e-mail channel (default: email)")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8024)
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--lmtp", action="store_true", help="use LMTP (RFC 2033) instead of SMTP")
        way.add_argument("--imap", action="store_true", help="poll the mailbox in the channel's option IMAP")
        parser.add_argument("--interval", type=float, default=30.0, help="seconds between polls (default: 30)")
        parser.add_argument("--once", action="store_true", help="with --imap: poll once; exit code 1 on failure")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            channel = registry.channel(options["channel"])
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        if not isinstance(channel, EmailChannel):
            raise CommandError(f"Channel {options['channel']!r} is not an e-mail channel")
        ended = threading.Event()
        if options["imap"]:
            self._poll(channel, ended, options["interval"], once=options["once"])
        else:
            self._serve(channel, ended, options["host"], options["port"], lmtp=options["lmtp"])

    def _serve(self, channel: EmailChannel, ended: threading.Event, host: str, port: int, *, lmtp: bool) -> None:
        server = controller(channel, host=host, port=port, lmtp=lmtp)
        try:
            server.start()
        except OSError as error:
            raise CommandError(f"Can't listen on {host}:{port}: {error}") from error
        _end_on_signal(ended)
        self._write(f"Receiving mail by {'LMTP' if lmtp else 'SMTP'} on {host}:{port}")
        ended.wait()
        server.stop()

    def _poll(self, channel: EmailChannel, ended: threading.Event, interval: float, *, once: bool) -> None:
        try:
            mailbox = channel.imap()
        except ConfigurationError as error:
            raise CommandError(f"Channel {channel.alias!r}: {error}") from error
        if not once:
            _end_on_signal(ended)
        self._write(f"Polling {mailbox.folder} of {mailbox.user} on {mailbox.host}")
        while not ended.is_set():
            full = False
            try:
                if not once:
                    close_old_connections()
                polled = poll(channel)
                full = polled.recorded + polled.known >= MOST
                if any(asdict(polled).values()):
                    self._write(f"{polled.recorded} recorded, {polled.known} known, {polled.set_aside} set aside")
            except (ChannelError, DatabaseError, OSError) as error:
                # The messages are still in the mailbox; the next poll records them.
                if once:
                    raise CommandError(str(error)) from error
                self.stderr.write(f"{error}; retrying")
            if once:
                return
            # There may be more messages than one poll fetches; continue without a pause.
            ended.wait(0.0 if full else interval)

    def _write(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _end_on_signal(ended: threading.Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
