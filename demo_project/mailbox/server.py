"""The demo's mail system: ``python -m demo_project.mailbox.server --port 8025 --receiver-port 8024 --folder FOLDER``.

Accepts mail by SMTP. Mail to the hotel's reply addresses is relayed to the plugin's receiver, whose answer is returned
to the sender; everything else is put into a Maildir. No mail leaves this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import smtplib
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from demo_project.mailbox.store import deliver

logger = logging.getLogger("demo.mail")
#: More than the receiver accepts, so that the sender gets the receiver's answer to a mail that is too large.
MAX_BYTES = 60 * 1024 * 1024


class MailSystem:
    """aiosmtpd's hooks."""

    def __init__(self, folder: Path, receiver: tuple[str, int], reply_addresses: frozenset[str]) -> None:
        self.folder = folder
        self.receiver = receiver
        self.reply_addresses = reply_addresses

    def is_for_the_hotel(self, recipient: str) -> bool:
        """Whether the address, without a plus suffix, is one of the hotel's."""
        local, _at, domain = recipient.lower().rpartition("@")
        return f"{local.partition('+')[0]}@{domain}" in self.reply_addresses

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        answer = "250 2.0.0 Delivered"
        hotel = [address for address in envelope.rcpt_tos if self.is_for_the_hotel(address)]
        if hotel:
            answer = await asyncio.to_thread(self.hand_on, envelope.mail_from or "", hotel, content)
        if not answer.startswith("250"):
            return answer
        for address in envelope.rcpt_tos:
            if address not in hotel:
                await asyncio.to_thread(deliver, self.folder, address, content)
        logger.info("%s -> %s: %s", envelope.mail_from or "<>", ", ".join(envelope.rcpt_tos), answer)
        return answer

    def hand_on(self, sender: str, recipients: list[str], content: bytes) -> str:
        """Relay a mail to the receiver. Returns its answer."""
        try:
            with smtplib.SMTP(*self.receiver, timeout=60) as connection:
                connection.sendmail(sender, recipients, content)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            return f"{code} {_text(words)}"
        except smtplib.SMTPResponseException as error:
            return f"{error.smtp_code} {_text(error.smtp_error)}"
        except (OSError, smtplib.SMTPException) as error:
            return f"451 4.4.1 The hotel's mail receiver does not answer: {error}"
        return "250 2.0.0 Handed on"


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words


def main() -> None:
    parser = argparse.ArgumentParser(description="The demo's mail system.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--receiver-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--reply-address", action="append", default=[])
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    system = MailSystem(
        options.folder,
        ("127.0.0.1", options.receiver_port),
        frozenset(address.lower() for address in options.reply_address),
    )
    controller = Controller(
        system,
        hostname=options.host,
        port=options.port,
        data_size_limit=MAX_BYTES,
        enable_SMTPUTF8=True,
        ident="Kaede demo mail",
    )
    controller.start()
    logger.info("listening on %s:%s", options.host, options.port)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    controller.stop()


if __name__ == "__main__":
    # Before any thread starts, so that no thread receives the signals that stop the server.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
