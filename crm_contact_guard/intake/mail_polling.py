"""Polling mailboxes, for companies whose mail system can't hand mails over: fetch, record, and only then mark.

Whatever dies in between, the mail still waits in its mailbox; recorded twice it can't be. A mail that can't be recorded
never holds up the next: it is noted in the record and set aside in a folder of its own.
"""

from __future__ import annotations

import logging
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
from crm_contact_guard.intake.events import take

if TYPE_CHECKING:
    from crm_contact_guard.channels.email.imap import Mailbox

logger = logging.getLogger(__name__)

#: Mails taken in one go; the rest waits for the next.
MOST = 200


@dataclass(frozen=True)
class Polled:
    """How many mails were newly recorded, known already, and set aside."""

    recorded: int = 0
    known: int = 0
    set_aside: int = 0

    def __add__(self, other: Polled) -> Polled:
        return Polled(self.recorded + other.recorded, self.known + other.known, self.set_aside + other.set_aside)


def poll_all() -> Polled:
    """Poll each channel that has a mailbox. One that is out of reach is logged and does not hold up the others."""
    polled = Polled()
    for alias in registry.aliases():
        try:
            channel = registry.channel(alias)
            if isinstance(channel, EmailChannel) and channel.polls:
                polled += poll(channel)
        except ConfigurationError:
            logger.exception("Channel %s is not configured rightly", alias)
        except ChannelError as error:
            logger.warning("The mailbox of channel %s waits for the next time: %s", alias, error)
    return polled


def poll(channel: EmailChannel) -> Polled:
    """Take what waits in the channel's mailbox, oldest first.

    Raises ChannelError when the server can't be reached or the connection is lost (what was recorded until then stays
    recorded), ConfigurationError, and whatever the database raises when it is away: the mail then stays where it is.
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
        # Database or storage are away: no fault of the mail's.
        raise
    except Exception as error:
        logger.exception("Mail %s/%s of channel %s can't be recorded", mailbox.validity, uid, channel.alias)
        return _set_aside(channel, mailbox, uid, f"the mail can't be recorded: {type(error).__name__}")
    mailbox.done(uid)
    return Polled(recorded=1) if any(new) else Polled(known=1)


def _set_aside(channel: EmailChannel, mailbox: Mailbox, uid: str, reason: str) -> Polled:
    head = message_from_bytes(mailbox.head(uid), policy=policy.compat32)
    named = {name: str(head[name] or "?")[:500] for name in ("From", "To", "Date", "Message-ID")}
    take(
        UnknownEvent(
            channel=channel.alias,
            event_id=f"imap:{mailbox.validity}:{uid}",
            occurred_at=timezone.now(),
            payload="\n".join(f"{name}: {text}" for name, text in named.items()),
            reason=f"{reason}; it lies in the folder {mailbox.options.set_aside!r}",
        )
    )
    mailbox.put_aside(uid)
    logger.error("A mail of channel %s was set aside: %s", channel.alias, reason)
    return Polled(set_aside=1)
