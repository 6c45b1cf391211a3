"""Poll mailboxes, for companies whose mail system can't forward emails: fetch, record, then mark as done.

After a crash, the email is still in its mailbox, and it is not recorded twice. No email blocks the others:

* An email that can't be parsed is recorded as it came.
* If the server doesn't hand out an email, or if the email breaks the connection or is too large, an event is recorded
  and the email is moved to a separate folder.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import UnknownEvent
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.channels.email.inbound import envelope_of, read_mail
from crm_contact_guard.channels.email.mime_text import raw_header
from crm_contact_guard.channels.email.structure import read
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError, ConfigurationError
from crm_contact_guard.hosting import logs
from crm_contact_guard.intake.events import UNAVAILABLE, take

if TYPE_CHECKING:
    from crm_contact_guard.channels.email.imap import Mailbox

logger = logs.logger(__name__)

#: Number of emails fetched per run.
MOST = 200
#: Number of lost connections that one run tolerates.
_MOST_LOST = 5
#: Number of connections that an email may break before it is set aside, and before it is skipped for the rest of the
#: run.
_MOST_BROKEN, _GIVEN_UP = 2, 3


@dataclass(frozen=True)
class Polled:
    """Number of emails recorded, already known, and set aside."""

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
    """Record the emails in the channel's mailbox, oldest first.

    Raises ChannelError if the server can't be reached or the connection is lost. Emails recorded before that stay
    recorded. Raises ConfigurationError, and database errors if the database is unavailable. The email then stays in the
    mailbox.
    """
    from crm_contact_guard.channels.email.imap import Mailbox  # noqa: PLC0415 - a carrier's library, on first use

    run = _Run(channel)
    while True:
        run.current = ""
        try:
            with Mailbox(channel.imap()) as mailbox:
                run.take_all(mailbox)
            break
        except ChannelError as error:
            run.failed(error)
    if run.error is not None:
        raise run.error
    return run.polled


class _Run:
    """One run over a mailbox. It uses several connections if emails break them."""

    def __init__(self, channel: EmailChannel) -> None:
        self.channel = channel
        self.polled = Polled()
        #: UID of the email that is being recorded.
        self.current = ""
        self.error: ChannelError | None = None
        self._lost = 0
        self._failures: Counter[str] = Counter()
        self._finished: set[str] = set()

    def take_all(self, mailbox: Mailbox) -> None:
        """Record all waiting emails. Raises ChannelError if the connection is lost, and whatever ``take`` raises."""
        for uid in mailbox.waiting(MOST):
            self.current = uid
            if uid in self._finished or self._failures[uid] >= _GIVEN_UP:
                continue
            try:
                if self._failures[uid] >= _MOST_BROKEN:
                    self.polled += self._set_aside(mailbox, uid, "the connection breaks when it is fetched", b"")
                else:
                    self.polled += self._take(mailbox, uid)
            except ChannelError as error:
                if not error.permanent:
                    raise
                self.error = error
                logger.warning("Mail %s of channel %s: %s", uid, self.channel.alias, error)
            self._finished.add(uid)
        self.current = ""

    def failed(self, error: ChannelError) -> None:
        """Count a lost connection against the email that was being recorded. Raises the error if the run is over."""
        self.error = error
        self._lost += 1
        if not self.current or self._lost > _MOST_LOST:
            raise error
        self._failures[self.current] += 1

    def _take(self, mailbox: Mailbox, uid: str) -> Polled:
        try:
            size = mailbox.size(uid)
            if size > settings.MAX_INBOUND_BYTES:
                reason = f"the mail has {size} bytes, more than MAX_INBOUND_BYTES"
                return self._set_aside(mailbox, uid, reason, mailbox.head(uid))
            raw = mailbox.mail(uid)
        except ChannelError as error:
            if not error.permanent:
                raise
            return self._set_aside(mailbox, uid, str(error), b"")
        if raw is None:
            return Polled()
        sender, recipients = envelope_of(raw)
        events = read_mail(raw, alias=self.channel.alias, envelope_from=sender, envelope_to=recipients)
        try:
            new = [take(event) for event in events]
        except UNAVAILABLE:
            # The email isn't the cause, so it stays in the mailbox.
            raise
        except Exception as error:
            logger.exception("Mail %s/%s of channel %s can't be recorded", mailbox.validity, uid, self.channel.alias)
            reason = f"the mail can't be recorded: {type(error).__name__}"
            return self._set_aside(mailbox, uid, reason, raw)
        mailbox.done(uid)
        return Polled(recorded=1) if any(new) else Polled(known=1)

    def _set_aside(self, mailbox: Mailbox, uid: str, reason: str, raw: bytes) -> Polled:
        head = read(raw)
        headers = {name: raw_header(head, name)[:500] or "?" for name in ("From", "To", "Date", "Message-ID")}
        take(
            UnknownEvent(
                channel=self.channel.alias,
                event_id=f"imap:{mailbox.validity}:{uid}",
                occurred_at=timezone.now(),
                payload="\n".join(f"{name}: {text}" for name, text in headers.items()),
                reason=f"{reason}; it was moved to the folder {mailbox.options.set_aside!r}",
            )
        )
        mailbox.put_aside(uid)
        logger.error("A mail of channel %s was set aside: %s", self.channel.alias, reason)
        return Polled(set_aside=1)
