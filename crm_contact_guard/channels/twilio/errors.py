"""Translate Twilio's error codes (https://www.twilio.com/docs/api/errors)."""

from __future__ import annotations

from crm_contact_guard.exceptions import ChannelError

#: The recipient replied STOP: https://www.twilio.com/docs/api/errors/21610
OPTED_OUT = frozenset({21610})
#: Temporary despite HTTP 400: full queues, rate limits, network problems.
_TRANSIENT = frozenset({
    14107,  # too many messages sent too fast
    20429,  # too many requests
    21611,  # this sender's queue is full
    30001,  # queue overflow
    30017,  # a network is congested
    30022,  # US A2P 10DLC: rate limits exceeded
    63018,  # WhatsApp: rate limit exceeded
})  # fmt: skip
#: Problems with the account, not with the message. Retry until they are fixed.
_ACCOUNT = frozenset({
    20003,  # authentication failed
    20005,  # account not active
    20008,  # test credentials used for a real request
    21606,  # this sender can't send to that number
    63007,  # no WhatsApp sender with this From
})  # fmt: skip
#: HTTP statuses after which Twilio may have accepted the message.
_UNCERTAIN_STATUS = frozenset({500, 502, 504})


def refused(status: int, code: int, message: str, retry_after: float | None = None) -> ChannelError:
    """Return the ChannelError for an error response from Twilio's API. ``retry_after`` is in seconds."""
    permanent = 400 <= status < 500 and status not in (401, 403, 408, 425, 429)
    if code in _TRANSIENT | _ACCOUNT:
        permanent = False
    return ChannelError(
        f"Twilio {code or status}: {message}",
        permanent=permanent,
        uncertain=status in _UNCERTAIN_STATUS,
        detail={"code": str(code or status), "status": str(status)},
        retry_after=retry_after,
        contact="stop" if code in OPTED_OUT else "",
    )
