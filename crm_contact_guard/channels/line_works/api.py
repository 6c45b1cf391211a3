"""Client of LINE WORKS' API 2.0 (developers.worksmobile.com/en/docs/api-overview) with a service account."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import jwt
from django.utils.http import parse_header_parameters
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from crm_contact_guard.channels.base import FileIn, MediaRef, OutboundFile
from crm_contact_guard.channels.http import content_of, content_type_of, lost, seconds
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.hosting import bounded_json

_THEIRS = re.compile(r"[a-z0-9.-]+\.(?:worksmobile|worksapis)\.com")
#: Lifetime of the signed assertion in seconds. The token server accepts at most an hour.
_ASSERTION = 1800
#: A token is renewed this many seconds before it expires.
_MARGIN = 300


@dataclass(frozen=True, kw_only=True)
class Account:
    """Credentials of the service account. ``repr`` does not contain the secrets."""

    client_id: str
    client_secret: str = field(repr=False)
    service_account: str
    private_key: str = field(repr=False)
    bot_id: str
    scope: str
    api: str = "https://www.worksapis.com"
    auth: str = "https://auth.worksmobile.com"


class WorksApi:
    """Client for one bot. ``timeout``: seconds per request. Thread-safe."""

    def __init__(self, account: Account, *, timeout: float) -> None:
        self._account = account
        # No retries by the library: the outbox schedules and records each attempt. Redirects are followed here.
        self._pool = PoolManager(retries=False, timeout=Timeout(timeout))
        self._token = ""
        self._token_until = 0.0
        self._lock = threading.Lock()

    def message(self, user: str, content: Mapping[str, Any]) -> None:
        """Send one content object to a member."""
        self._ask("POST", self._bot(f"users/{quote(user, safe='')}/messages"), {"content": content}, delivers=True)

    def upload(self, file: OutboundFile) -> str:
        """Upload a file to the bot's storage, where it is kept for 24 hours. Return its ID."""
        body = self._json(self._ask("POST", self._bot("attachments"), {"fileName": file.name}))
        url, file_id = str(body.get("uploadUrl") or ""), str(body.get("fileId") or "")
        if not file_id or not self._is_theirs(url):
            raise ChannelError("LINE WORKS returned no upload URL", permanent=False)
        answer = self._call(
            "POST",
            url,
            fields={"resourceName": file.name, "Filedata": (file.name, file.read(), file.content_type)},
        )
        if answer.status >= 300:
            raise _refused(answer)
        return file_id

    def content(self, media: MediaRef, *, most: int) -> FileIn:
        """Fetch a member's file of at most ``most`` bytes.

        The API redirects to the storage, which requires the token as well.
        """
        answer = self._ask("GET", self._bot(f"attachments/{quote(media.ref, safe='')}"))
        url = answer.headers.get("Location", "")
        if answer.status != 302 or not self._is_theirs(url):
            raise ChannelError(f"LINE WORKS {answer.status}: no download URL", permanent=False)
        stored = self._call("GET", url, stream=True)
        if stored.status >= 300:
            raise _refused(stored)
        try:
            content = content_of(stored, most=most)
        except HTTPError as error:
            raise lost(error, "LINE WORKS", delivers=False) from error
        _, parameters = parse_header_parameters(stored.headers.get("Content-Disposition", ""))
        content_type = content_type_of(stored)
        return FileIn(
            name=media.name or parameters.get("filename", "") or "file", content_type=content_type, content=content
        )

    def name(self, user: str) -> str:
        """Return a member's name, family name first, as LINE WORKS displays it. Needs the scope ``user.read``."""
        body = self._json(self._ask("GET", f"{self._account.api}/v1.0/users/{quote(user, safe='')}"))
        name = body.get("userName") or {}
        parts = [str(name.get(part) or "") for part in ("lastName", "firstName")]
        return " ".join(part for part in parts if part)[:255]

    # --- requests
    def _bot(self, path: str) -> str:
        return f"{self._account.api}/v1.0/bots/{quote(self._account.bot_id, safe='')}/{path}"

    def _is_theirs(self, url: str) -> bool:
        """Whether the URL belongs to LINE WORKS. The token must not be sent anywhere else, nor unencrypted.

        The URL is parsed by urllib3, which also requests it, because other parsers see a different host in some URLs.
        """
        try:
            own, given = parse_url(self._account.api), parse_url(url)
        except LocationParseError:
            return False
        if (given.scheme, given.host, given.port) == (own.scheme, own.host, own.port):
            return True
        return _THEIRS.fullmatch(given.host or "") is not None and given.scheme == "https" and given.port in (None, 443)

    def _ask(
        self, method: str, url: str, body: Mapping[str, Any] | None = None, *, delivers: bool = False
    ) -> BaseHTTPResponse:
        """Send one API request. If the token has been revoked, renew it once and repeat the request.

        ``delivers``: whether the request sends a message. If so, the outcome is uncertain without a response.
        """
        answer = self._call(method, url, delivers=delivers, json=body)
        if answer.status == 401:
            with self._lock:
                self._token_until = 0.0
            answer = self._call(method, url, delivers=delivers, json=body)
        if answer.status >= 400:
            raise _refused(answer, delivers=delivers)
        return answer

    def _call(
        self, method: str, url: str, *, stream: bool = False, delivers: bool = False, **more: Any
    ) -> BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {self._access_token()}"}
        more = {name: value for name, value in more.items() if value is not None}
        try:
            return self._pool.request(method, url, headers=headers, redirect=False, preload_content=not stream, **more)
        except HTTPError as error:
            raise lost(error, "LINE WORKS", delivers=delivers) from error

    def _access_token(self) -> str:
        with self._lock:
            if time.time() >= self._token_until:
                self._token, seconds = self._new_token()
                self._token_until = time.time() + max(seconds - _MARGIN, 0)
            return self._token

    def _new_token(self) -> tuple[str, int]:
        """Get an access token with a signed assertion (RFC 7523). Return it with its lifetime in seconds.

        Errors are temporary, since people can fix their causes, and never uncertain, since no message was sent.
        """
        account, now = self._account, int(time.time())
        claims = {"iss": account.client_id, "sub": account.service_account, "iat": now, "exp": now + _ASSERTION}
        try:
            form = {
                "assertion": jwt.encode(claims, account.private_key, algorithm="RS256"),
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "client_id": account.client_id,
                "client_secret": account.client_secret,
                "scope": account.scope,
            }
            answer = self._pool.request(
                "POST", f"{account.auth}/oauth2/v2.0/token", fields=form, encode_multipart=False
            )
            if answer.status != 200:
                raise ChannelError(f"LINE WORKS refused an access token: {_words(answer)}", permanent=False)
            body = bounded_json.read(answer.data)
            return str(body["access_token"]), int(body["expires_in"])
        except HTTPError as error:
            raise lost(error, "LINE WORKS", delivers=False) from error
        except (jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
            raise ChannelError(f"no LINE WORKS access token: {type(error).__name__}", permanent=False) from error

    def _json(self, answer: BaseHTTPResponse) -> dict[str, Any]:
        try:
            body = bounded_json.read(answer.data)
        except bounded_json.UnboundedJson as error:
            raise ChannelError("LINE WORKS sent an invalid response", permanent=False) from error
        if not isinstance(body, dict):
            raise ChannelError("LINE WORKS sent an invalid response", permanent=False)
        return body


def _refused(answer: BaseHTTPResponse, *, delivers: bool = False) -> ChannelError:
    status = answer.status
    return ChannelError(
        f"LINE WORKS {status}: {_words(answer)}",
        permanent=status not in (401, 408, 429) and status < 500,
        uncertain=delivers and status >= 500,
        detail={"status": str(status)},
        retry_after=seconds(answer.headers, "Retry-After", "RateLimit-Reset") if status == 429 else None,
    )


def _words(answer: BaseHTTPResponse) -> str:
    try:
        body = bounded_json.read(answer.data)
        parts = [body.get("code"), body.get("error"), body.get("description") or body.get("detail")]
    except (ValueError, AttributeError):
        parts = [answer.reason]
    return " ".join(str(part) for part in parts if part)[:500] or "no reason given"
