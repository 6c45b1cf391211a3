"""Errors of the product. Every one carries words a person can act on."""

from __future__ import annotations

from collections.abc import Mapping


class ContactGuardError(Exception):
    """Base of all errors raised by crm_contact_guard."""

    #: Stable name, used as the last part of the problem type in the API (RFC 9457).
    code = "error"


class ConfigurationError(ContactGuardError):
    """A setting is missing or wrong; the message names the setting."""

    code = "configuration"


class NotPermitted(ContactGuardError):
    """The person may not do this to that row."""

    code = "not-permitted"


class InvalidMessage(ContactGuardError):
    """What was handed in can't become a message (empty, too long, no address…). Nothing was recorded."""

    code = "invalid-message"

    def __init__(self, message: str, *, field: str = "text") -> None:
        super().__init__(message)
        self.field = field


class ChannelError(ContactGuardError):
    """A carrier did not take a message.

    ``permanent``: trying again can't help. ``uncertain``: the carrier may have the message all the same.
    ``retry_after``: seconds after which a busy carrier wants to be asked again (RFC 9110 §10.2.3).
    ``contact``: what the refusal tells of the address, as in ``channels.base.ContactKind`` ("stop", "bounce").
    """

    code = "channel"

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        uncertain: bool = False,
        detail: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        contact: str = "",
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.uncertain = uncertain
        self.retry_after = retry_after
        self.contact = contact
        self.detail = dict(detail or {})


class InvalidPayload(ContactGuardError):
    """A carrier's webhook or mail can't be read; it is recorded as such."""

    code = "invalid-payload"


class AlreadyClosed(ContactGuardError):
    """Somebody else closed this meanwhile."""

    code = "already-closed"


class RecordedRowsAreFinal(ContactGuardError):
    """Python's courtesy guard before the database's own refusal."""

    code = "recorded-rows-are-final"
