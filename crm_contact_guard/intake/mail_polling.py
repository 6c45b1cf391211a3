"""Polling of mailboxes, for companies whose mail system can't forward mails: fetch, record, then mark as done.

After a crash the mail is still in its mailbox, and it is not recorded twice. A mail that can't be recorded does not
block the others: an event is recorded, and the mail is moved to a separate folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import UnknownEvent
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.channels.email.inbound import envelope_of, read_mail
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError, ConfigurationError
from crm_contact_guard.hosting import logs
from crm_contact_guard.intake.events import take

if TYPE_CHECKING:
    from crm_contact_guard.channels.email.imap import Mailbox

logger = logs.logger(__name__)

#: Mails fetched per run.
MOST = 200


@dataclass(frozen=True)
class Polled:
    """Number of mails recorded, already known, and set aside."""

    recorded: int = 0
    known: int = 0
    set_aside: int = 0

    def __add__(self, other: Polled) -> Polled:
        return Polled(self.recorded + other.recorded, self.known + other.known, self.set_aside + other.set_aside)


def poll_all() -> Polled:
    """Poll each channel that has a mailbox. Errors are logged and do not affect other mailboxes."""
    polled = Polled()
    for alias in registry.aliases():
        try:
            channel = registry.channel(alias)
            if isinstance(channel, EmailChannel) and channel.polls:
                polled += poll(channel)
        except ConfigurationError:
            logger.exception("Channel %s is misconfigured", alias)
        except ChannelError as error:
            logger.warning("Could not poll the mailbox of channel %s: %s", alias, error)
    return polled


def poll(channel: EmailChannel) -> Polled:
    """Record the mails in the channel's mailbox, oldest first.

    Raises ChannelError if the server can't be reached or the connection is lost (mails recorded before stay recorded),
    ConfigurationError, and database errors if the database is unavailable; the mail then stays in the mailbox.
    """
    from crm_contact_guard.channels.email.imap import Mailbox  # noqa: PLC0415 - a carrier's library, on first use

    polled = Polled()
    with Mailbox(channel.imap()) as mailbox:
        for uid, size in mailbox.waiting(MOST):
            polled += _take(channel, mailbox, uid, size)
    return polled


def _take(channel: EmailChannel, mailbox: Mailbox, uid: str, size: int) -> Polled:
    if size > settings.MAX_INBOUND_BYTES:
        return _set_aside(channel, mailbox, uid, f"the mail has {size} bytes, more than MAX_INBOUND_BYTES")
    raw = mailbox.mail(uid)
    if not raw:
        return Polled()
    sender, recipients = envelope_of(raw)
    events = read_mail(raw, alias=channel.alias, envelope_from=sender, envelope_to=recipients)
    try:
        new = [take(event) for event in events]
    except (InterfaceError, OperationalError, OSError):
        # Database or storage are unavailable, which is not a problem of the mail.
        raise
    except Exception as error:
        logger.exception("Mail %s/%s of channel %s can't be recorded", mailbox.validity, uid, channel.alias)
        return _set_aside(channel, mailbox, uid, f"the mail can't be recorded: {type(error).__name__}")
    mailbox.done(uid)
    return Polled(recorded=1) if any(new) else Polled(known=1)


def _set_aside(channel: EmailChannel, mailbox: Mailbox, uid: str, reason: str) -> Polled:
    head = message_from_bytes(mailbox.head(uid), policy=policy.compat32)
    headers = {name: str(head[name] or "?")[:500] for name in ("From", "To", "Date", "Message-ID")}
    take(
        UnknownEvent(
            channel=channel.alias,
            event_id=f"imap:{mailbox.validity}:{uid}",
            occurred_at=timezone.now(),
            payload="\n".join(f"{name}: {text}" for name, text in headers.items()),
            reason=f"{reason}; it was moved to the folder {mailbox.options.set_aside!r}",
        )
    )
    mailbox.put_aside(uid)
    logger.error("A mail of channel %s was set aside: %s", channel.alias, reason)
    return Polled(set_aside=1)
