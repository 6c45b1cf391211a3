"""Translate Meta's error codes.

Codes: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from __future__ import annotations

from crm_contact_guard.exceptions import ChannelError

#: Temporary: rate limits, unavailable services, failed media uploads.
_TRANSIENT = frozenset({
    1, 2,  # unknown or temporary problem of the API
    4, 80007, 130429, 131048, 131056,  # rates: app, account, throughput, spam, this pair of numbers
    131000, 131016, 131057, 135000,  # something went wrong, overloaded, maintenance, generic
    131053,  # media could not be uploaded
    133004,  # server temporarily unavailable
})  # fmt: skip
#: Problems with the token, permissions, payment or registration, not with the message. Retry until they are fixed.
_ACCOUNT = frozenset({0, 3, 10, 190, 368, 131005, 131031, 131042, 131045, 133010, *range(200, 300)})
#: Seconds to wait (131056: pair rate limit, 130429: throughput).
_WAIT = {131056: 60.0, 130429: 10.0}
#: HTTP statuses after which the message may have been accepted. (131050, a stop within WhatsApp, applies only to
#: marketing messages. It is in the status detail and is not treated as an opt-out.)
_UNCERTAIN_STATUS = frozenset({500, 502, 504})
#: Codes that Meta returns with HTTP 500 before accepting a message.
_NOT_ACCEPTED = frozenset({131016, 131057, 133004})


def refused(status: int, code: int, message: str, retry_after: float | None = None) -> ChannelError:
    """Return the ChannelError for an error response from the API. ``retry_after`` is in seconds."""
    if code in _TRANSIENT | _ACCOUNT:
        permanent = False
    else:
        permanent = 400 <= status < 500 and status not in (401, 403, 408, 425, 429)
    return ChannelError(
        f"WhatsApp {code or status}: {message}",
        permanent=permanent,
        uncertain=status in _UNCERTAIN_STATUS and code not in _NOT_ACCEPTED,
        detail={"code": str(code or status), "status": str(status)},
        retry_after=retry_after if retry_after is not None else _WAIT.get(code),
    )
