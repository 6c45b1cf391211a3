"""Exceptions raised by the package. Each has a message that tells the user what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _


class ContactGuardError(Exception):
    """Base class of all errors raised by crm_contact_guard."""

    #: Stable name, used as the last part of the problem type in the API (RFC 9457).
    code = "error"


class ConfigurationError(ContactGuardError):
    """A setting is missing or wrong. The message names the setting."""

    code = "configuration"


class NotPermitted(ContactGuardError):
    """The user may not perform this action on this row."""

    code = "not-permitted"


class InvalidMessage(ContactGuardError):
    """The input is not a valid message (it is empty, is too long, has no address…). Nothing was recorded."""

    code = "invalid-message"

    def __init__(self, message: str, *, field: str = "text") -> None:
        super().__init__(message)
        self.field = field


class ChannelError(ContactGuardError):
    """A carrier did not accept a message.

    ``permanent`` means that a retry can't help. ``uncertain`` means that the carrier may have accepted the message all
    the same. ``retry_after`` is the number of seconds to wait before a retry (RFC 9110 §10.2.3). ``contact`` is the
    effect on the address, as in ``channels.base.ContactKind`` ("stop", "bounce").
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
    """A carrier's request could not be verified or parsed."""

    code = "invalid-payload"


class AlreadyClosed(ContactGuardError):
    """Another user has closed the alert in the meantime."""

    code = "already-closed"


class AlreadyClaimed(ContactGuardError):
    """A colleague has claimed the alert. ``by``: the colleague's name. ``at``: since when, if known."""

    code = "already-claimed"

    def __init__(self, *, by: str, at: datetime | None) -> None:
        super().__init__(_("%(name)s is looking at this alert.") % {"name": by})
        self.by = by
        self.at = at


class NotPossible(ContactGuardError):
    """The row's state doesn't allow the action, usually because somebody else changed it in the meantime."""

    code = "not-possible"


class RecordedRowsAreFinal(ContactGuardError):
    """An attempt to update or delete recorded rows through the ORM."""

    code = "recorded-rows-are-final"
