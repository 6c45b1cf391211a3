"""Translate an email service's errors: whether they are permanent, whether uncertain, and how long to wait."""

from __future__ import annotations

from typing import Any

import requests
import urllib3
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused

from crm_contact_guard.exceptions import ChannelError

#: Problems with the account, not with the email (wrong key, unpaid, unverified domain). Retry until they are fixed.
_ACCOUNT = frozenset({401, 402, 403, 404, 407})
_BUSY = frozenset({408, 425, 429})
#: A gateway lost the service's response, so the email may have been sent.
_ANSWER_LOST = frozenset({502, 504})
#: Parts of Amazon's names for temporary errors: rate limit, quota, paused sending.
_AMAZON_TEMPORARY = ("Throttl", "TooMany", "LimitExceeded", "Paused", "Suspended", "NotVerified", "Unavailable")
#: Parts of boto's names for errors that occur before the request is sent.
_BOTO_NEVER_SENT = ("EndpointConnection", "ConnectTimeout", "Credentials", "NoRegion", "Proxy", "SSL")


def channel_error(error: Exception) -> ChannelError | None:
    """Return the ChannelError for an error from the service; None for any other exception (a bug, a wrong setting)."""
    if isinstance(error, AnymailRecipientsRefused):
        return ChannelError(_words(error), permanent=True)
    if not isinstance(error, AnymailError):
        return None
    status = _status(error)
    if status is not None and not 200 <= status < 300:
        return _by_status(error, status)
    if not isinstance(error, AnymailAPIError):
        # The service does not support a feature that the email uses.
        return ChannelError(_words(error), permanent=True)
    return ChannelError(_words(error), permanent=False, uncertain=not _never_sent(error.__cause__))


def _by_status(error: AnymailError, status: int) -> ChannelError:
    permanent = 400 <= status < 500 and status not in _ACCOUNT | _BUSY and not _is_temporary(error)
    return ChannelError(
        _words(error), permanent=permanent, uncertain=status in _ANSWER_LOST, retry_after=_retry_after(error)
    )


def _status(error: AnymailError) -> int | None:
    if error.status_code is not None:
        return int(error.status_code)
    answer: Any = error.response
    if isinstance(answer, dict):  # boto's
        return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    code = getattr(answer, "status_code", None)
    return int(code) if code is not None else None


def _is_temporary(error: AnymailError) -> bool:
    answer: Any = error.response
    name = answer.get("Error", {}).get("Code", "") if isinstance(answer, dict) else ""
    return any(part in name for part in _AMAZON_TEMPORARY)


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
