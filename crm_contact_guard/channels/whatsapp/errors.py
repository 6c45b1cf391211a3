"""What Meta's refusals mean for a message.

Codes: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from __future__ import annotations

from crm_contact_guard.exceptions import ChannelError

#: Worth another try: rates, services that are down, media that could not be taken just now.
_TRANSIENT = frozenset({
    1, 2,  # unknown or passing trouble of the API
    4, 80007, 130429, 131048, 131056,  # rates: app, account, throughput, spam, this pair of numbers
    131000, 131016, 131057, 135000,  # something went wrong, overloaded, maintenance, generic
    131053,  # media could not be uploaded
    133004,  # server temporarily unavailable
})  # fmt: skip
#: Nothing wrong with the message: token, permission, payment or registration must be mended, and then it can go out.
_ACCOUNT = frozenset({0, 3, 10, 190, 368, 131005, 131031, 131042, 131045, 133010, *range(200, 300)})
#: The same person may not be written to faster than this for a while (131056: pair rate limit).
_WAIT = {131056: 60.0, 130429: 10.0}
#: The person stopped the company's messages in WhatsApp itself (131050), which counts for advertising alone; it is
#: told in the status' words and ends nothing here.
_DOUBTFUL_STATUS = frozenset({500, 502, 504})
#: Meta gives codes of its own with HTTP 500 before it took anything.
_NOT_TAKEN = frozenset({131016, 131057, 133004})


def refused(status: int, code: int, message: str, retry_after: float | None = None) -> ChannelError:
    """The error for an answer of the API. ``retry_after`` is in seconds."""
    if code in _TRANSIENT | _ACCOUNT:
        permanent = False
    else:
        permanent = 400 <= status < 500 and status not in (401, 403, 408, 425, 429)
    return ChannelError(
        f"WhatsApp {code or status}: {message}",
        permanent=permanent,
        uncertain=status in _DOUBTFUL_STATUS and code not in _NOT_TAKEN,
        detail={"code": str(code or status), "status": str(status)},
        retry_after=retry_after if retry_after is not None else _WAIT.get(code),
    )
