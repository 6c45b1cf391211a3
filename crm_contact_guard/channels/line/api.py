"""Client of LINE's Messaging API (developers.line.biz/en/reference/messaging-api)."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from linebot.v3.messaging import (
    ApiClient,
    ApiException,
    Configuration,
    Message,
    MessagingApi,
    PushMessageRequest,
)
from urllib3.exceptions import HTTPError

from crm_contact_guard.channels.base import DeliveryStatus, FileIn, MediaRef, Receipt
from crm_contact_guard.channels.http import content_of, content_type_of, lost, seconds
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.hosting import bounded_json

#: Host for the content of messages. The library has no public constant for it.
_DATA_HOST = "https://api-data.line.me"


class LineApi:
    """Client for one channel access token. ``timeout``: seconds per request. ``host`` replaces both of LINE's hosts."""

    def __init__(self, token: str, *, timeout: float, host: str = "") -> None:
        configuration = Configuration(host=host or None, access_token=token)
        # No retries by the library: the outbox schedules and records each attempt.
        configuration.retries = False
        self._client = ApiClient(configuration)
        self._messaging = MessagingApi(self._client)
        self._data_host = host or _DATA_HOST
        self._timeout = timeout

    def push(self, to: str, messages: Sequence[Message], *, retry_key: str) -> Receipt:
        """Send up to five message objects as one message.

        ``retry_key`` is a UUID. LINE processes requests with the same key only once within 24 hours, and responds 409
        to repeats, which is treated as success.
        """
        request = PushMessageRequest(to=to, messages=list(messages))
        try:
            answer = self._messaging.push_message_with_http_info(
                request, x_line_retry_key=retry_key, _request_timeout=self._timeout
            )
        except ApiException as error:
            if error.status != 409:
                raise _refused(error) from error
            ids = [str(sent.get("id", "")) for sent in _body(error).get("sentMessages") or []]
            first_request = _header(error.headers, "x-line-accepted-request-id")
            return _receipt(ids or [first_request], {"accepted_request_id": first_request})
        except HTTPError as error:
            raise lost(error, "LINE", delivers=True) from error
        sent = answer.data.sent_messages if answer.data is not None else []
        return _receipt([message.id for message in sent], {"request_id": _header(answer.headers, "x-line-request-id")})

    def name(self, user: str) -> str:
        """Return the display name of a user who follows the account or has written to it."""
        try:
            response = self._messaging.get_profile(user, _request_timeout=self._timeout)
        except ApiException as error:
            raise _refused(error) from error
        except HTTPError as error:
            raise lost(error, "LINE", delivers=False) from error
        return str(response.display_name)[:255]

    def content(self, media: MediaRef, *, most: int) -> FileIn:
        """Fetch a customer's file of at most ``most`` bytes.

        The file is read in chunks, since LINE accepts videos of any size and the library would load them into memory.
        """
        url = f"{self._data_host}/v2/bot/message/{quote(media.ref, safe='')}/content"
        try:
            answer = self._client.request(
                "GET",
                url,
                headers=dict(self._client.default_headers),
                _preload_content=False,
                _request_timeout=self._timeout,
            )
            content = content_of(answer, most=most)
        except ApiException as error:
            raise _refused(error) from error
        except HTTPError as error:
            raise lost(error, "LINE", delivers=False) from error
        except ValueError as error:
            # A redirect to a malformed URL, which urllib3 parses even though it doesn't follow the redirect.
            raise ChannelError("LINE sent an invalid response", permanent=False) from error
        if answer.status == 202:
            raise ChannelError("LINE is still preparing the file", permanent=False, retry_after=30)
        content_type = content_type_of(answer)
        name = media.name or f"line-{media.ref}{mimetypes.guess_extension(content_type) or ''}"
        return FileIn(name=name, content_type=content_type, content=content)


def _receipt(ids: Sequence[str], detail: dict[str, str]) -> Receipt:
    ids = [identifier for identifier in ids if identifier]
    if len(ids) > 1:
        detail = {**detail, "message_ids": " ".join(ids)}
    return Receipt(
        status=DeliveryStatus.SENT,
        carrier_id=ids[0] if ids else "",
        detail={name: value for name, value in detail.items() if value},
    )


def _refused(error: ApiException) -> ChannelError:
    """Return the ChannelError for LINE's status code.

    401 (expired or revoked token) is temporary, since people fix it within hours. A used-up monthly quota is permanent,
    so that the sender can choose another channel.
    """
    status = int(error.status or 0)
    words = _words(error)
    detail = {"status": str(status), "request_id": _header(error.headers, "x-line-request-id")}
    if status == 429:
        quota = "monthly" in words.lower()
        return ChannelError(
            f"LINE: {words}", permanent=quota, detail=detail, retry_after=seconds(error.headers, "retry-after")
        )
    temporary = status in (0, 401, 408) or status >= 500
    return ChannelError(f"LINE {status}: {words}", permanent=not temporary, uncertain=status >= 500, detail=detail)


def _body(error: ApiException) -> dict[str, Any]:
    try:
        text = error.body or "{}"
        body = bounded_json.read(text if isinstance(text, bytes) else str(text).encode())
    except bounded_json.UnboundedJson:
        return {}
    return body if isinstance(body, dict) else {}


def _words(error: ApiException) -> str:
    body = _body(error)
    details = body.get("details") or []
    more = "; ".join(f"{part.get('property', '')} {part.get('message', '')}".strip() for part in details)
    words = str(body.get("message") or error.reason or "no reason given")
    return f"{words} ({more})"[:500] if more else words[:500]


def _header(headers: Any, name: str) -> str:
    return str(headers.get(name, "")) if headers is not None else ""
