"""What a mail service's refusal means: is another try worth it, may the mail have gone out, how long to wait."""

from __future__ import annotations

from typing import Any

import requests
import urllib3
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused

from crm_contact_guard.exceptions import ChannelError

#: The account is at fault, not the mail: wrong key, unpaid, unverified domain. Somebody will mend it.
_ACCOUNT = frozenset({401, 402, 403, 404, 407})
_BUSY = frozenset({408, 425, 429})
#: A gateway that lost the service's answer: the mail may be on its way.
_ANSWER_LOST = frozenset({502, 504})
#: Parts of Amazon's error names that pass: too fast, quota used up, sending paused.
_AMAZON_PASSES = ("Throttl", "TooMany", "LimitExceeded", "Paused", "Suspended", "NotVerified", "Unavailable")
#: boto's own errors before anything was sent.
_BOTO_NEVER_SENT = ("EndpointConnection", "ConnectTimeout", "Credentials", "NoRegion", "Proxy", "SSL")


def channel_error(error: Exception) -> ChannelError | None:
    """The refusal in the contract's terms. None for what is no word of a service: a bug or a wrong setting."""
    if isinstance(error, AnymailRecipientsRefused):
        return ChannelError(_words(error), permanent=True)
    if not isinstance(error, AnymailError):
        return None
    status = _status(error)
    if status is not None and not 200 <= status < 300:
        return _by_status(error, status)
    if not isinstance(error, AnymailAPIError):
        # The mail can't be put in the service's terms.
        return ChannelError(_words(error), permanent=True)
    return ChannelError(_words(error), permanent=False, uncertain=not _never_sent(error.__cause__))


def _by_status(error: AnymailError, status: int) -> ChannelError:
    permanent = 400 <= status < 500 and status not in _ACCOUNT | _BUSY and not _passes(error)
    return ChannelError(
        _words(error), permanent=permanent, uncertain=status in _ANSWER_LOST, retry_after=_retry_after(error)
    )


def _status(error: AnymailError) -> int | None:
    if error.status_code is not None:
        return int(error.status_code)
    answer: Any = error.response
    if isinstance(answer, dict):  # boto's
        return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    found = getattr(answer, "status_code", None)
    return int(found) if found is not None else None


def _passes(error: AnymailError) -> bool:
    answer: Any = error.response
    name = answer.get("Error", {}).get("Code", "") if isinstance(answer, dict) else ""
    return any(part in name for part in _AMAZON_PASSES)


def _never_sent(cause: BaseException | None) -> bool:
    if isinstance(cause, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    if isinstance(cause, requests.ConnectionError):
        reason = getattr(cause.args[0], "reason", None) if cause.args else None
        return isinstance(reason, urllib3.exceptions.NewConnectionError)
    return any(part in type(cause).__name__ for part in _BOTO_NEVER_SENT)


def _retry_after(error: AnymailError) -> float | None:
    headers = getattr(error.response, "headers", {})
    value = str(headers.get("Retry-After", "")).strip()
    return float(value) if value.isdecimal() else None


def _words(error: AnymailError) -> str:
    answer = getattr(error.response, "text", "") or ""
    text = " ".join(str(error).split())
    return text if answer and answer[:40] in text else f"{text} {answer}".strip()[:1000]
