"""Base of all Twilio channels: the account, its API client, and the signature of webhooks."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from crm_contact_guard.channels.base import Channel
from crm_contact_guard.channels.twilio import errors
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError, InvalidPayload
from crm_contact_guard.hosting import bounded_json

if TYPE_CHECKING:
    from twilio.rest import Client

_TIMEOUT = 20.0
_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
_API_KEY = re.compile(r"SK[0-9a-f]{32}")

Answer = TypeVar("Answer")


class TwilioAccount(Channel):
    """Options of all Twilio channels:

    * ``ACCOUNT_SID``.
    * ``AUTH_TOKEN``: may be a list during a rotation. All tokens verify webhooks; the first is used for requests.
    * ``API_KEY``, ``API_SECRET``: used for requests instead of the token.
    * ``WEBHOOK_URL``: exactly as entered at Twilio, if it is not ``PUBLIC_URL`` followed by our path.
    * ``REGION``, ``EDGE``.
    * ``TIMEOUT``: in seconds (default 20).
    * ``API_URL``: another server with the same API.
    """

    supports_webhook = True
    supports_status = True

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        super().__init__(alias, options)
        self._thread = threading.local()

    # --- the API
    def ask(self, question: Callable[[Client], Answer]) -> Answer:
        """Call ``question`` with the API client, and return its result.

        Raises ChannelError, which is permanent or not depending on Twilio's code.
        """
        import requests  # noqa: PLC0415 - comes with the extra
        from twilio.base.exceptions import TwilioException, TwilioRestException  # noqa: PLC0415

        client = self._client()
        self._thread.retry_after = None
        try:
            return question(client)
        except TwilioRestException as error:
            raise errors.refused(
                error.status, int(error.code or 0), str(error.msg), self._thread.retry_after
            ) from error
        except (requests.RequestException, TwilioException, ValueError) as error:
            raise ChannelError(
                f"Twilio not reachable: {type(error).__name__}", permanent=False, uncertain=not _is_unsent(error)
            ) from error

    def _client(self) -> Client:
        """Return the thread's own client, since sessions of ``requests`` are not thread-safe."""
        existing: Client | None = getattr(self._thread, "client", None)
        if existing is not None:
            return existing
        from twilio.http.http_client import TwilioHttpClient  # noqa: PLC0415 - comes with the extra
        from twilio.rest import Client  # noqa: PLC0415

        def save_retry_after(response: Any, *_: Any, **__: Any) -> None:
            # The library's exception does not contain the headers.
            self._thread.retry_after = seconds(response.headers.get("Retry-After", ""))

        client = Client(
            self.options.get("API_KEY") or self.options["ACCOUNT_SID"],
            self.options.get("API_SECRET") or self.secrets("AUTH_TOKEN")[0],
            account_sid=self.options["ACCOUNT_SID"],
            region=self.options.get("REGION"),
            edge=self.options.get("EDGE"),
            # Ignore TWILIO_* environment variables, which may belong to another account.
            environment={"TWILIO_ACCOUNT_SID": ""},
            http_client=TwilioHttpClient(
                timeout=float(self.options.get("TIMEOUT", _TIMEOUT)), request_hooks={"response": [save_retry_after]}
            ),
        )
        if self.options.get("API_URL"):
            client.api.base_url = str(self.options["API_URL"]).rstrip("/")
        self._thread.client = client
        return client

    # --- webhooks
    def webhook_url(self, request: HttpRequest | None = None) -> str:
        """Return the webhook's URL at Twilio, without a query.

        The URL is part of the signature. Settings take precedence over the request, whose host a proxy may have
        changed.
        """
        if self.options.get("WEBHOOK_URL"):
            return str(self.options["WEBHOOK_URL"])
        path = request.get_full_path().partition("?")[0] if request is not None else own_path(self.alias)
        if settings.PUBLIC_URL:
            return str(settings.PUBLIC_URL).rstrip("/") + path
        return request.build_absolute_uri(path) if request is not None else ""

    def verify(self, request: HttpRequest) -> None:
        """Check ``X-Twilio-Signature`` (https://www.twilio.com/docs/usage/security).

        It is an HMAC of the exact URL and the form's values or, for a JSON body, of the URL with its ``bodySHA256``.
        """
        from twilio.request_validator import RequestValidator  # noqa: PLC0415 - comes with the extra

        signature = request.headers.get("X-Twilio-Signature", "")
        if request.method != "POST" or not signature:
            raise InvalidPayload("no X-Twilio-Signature on a POST")
        url = self.webhook_url(request)
        query = request.META.get("QUERY_STRING", "")
        if query:
            url = f"{url}?{query}"
        content: Any
        if request.content_type == "application/x-www-form-urlencoded":
            content = request.POST
        elif "bodySHA256" in request.GET:
            try:
                content = request.body.decode()
            except UnicodeDecodeError as error:
                raise InvalidPayload("body is not UTF-8") from error
        else:
            raise InvalidPayload("neither a form nor a body with a signed bodySHA256")
        if not any(RequestValidator(token).validate(url, content, signature) for token in self.secrets("AUTH_TOKEN")):
            raise InvalidPayload(f"signature does not match for {url.partition('?')[0]}")

    def values(self, request: HttpRequest) -> dict[str, str]:
        """Return the values of a verified request, from its form or JSON body. Raises InvalidPayload."""
        if request.content_type == "application/x-www-form-urlencoded":
            return {name: str(value) for name, value in request.POST.items()}
        try:
            body = bounded_json.read(request.body)
        except bounded_json.UnboundedJson as error:
            raise InvalidPayload(str(error)) from error
        if not isinstance(body, dict):
            raise InvalidPayload("not a JSON object")
        return {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Return an empty TwiML document, so that Twilio sends no reply."""
        return HttpResponse('<?xml version="1.0" encoding="UTF-8"?><Response/>', content_type="text/xml")

    # --- settings
    def check(self) -> Iterator[CheckMessage]:
        """E121: missing extra. E122: missing or malformed account or token. E123: no public https URL."""
        where = f'CONTACT_GUARD["CHANNELS"]["{self.alias}"]["OPTIONS"]'
        try:
            import twilio  # noqa: F401, PLC0415
        except ImportError:
            hint = 'pip install "crm-contact-guard[twilio]"'
            yield Error(f"Channel {self.alias!r} needs the library twilio", hint=hint, id="crm_contact_guard.E121")
        hint = "Twilio's console, Account info. Read secrets from the environment, not from the code."
        if not _ACCOUNT_SID.fullmatch(str(self.options.get("ACCOUNT_SID", ""))):
            yield Error(f'{where}["ACCOUNT_SID"] is not AC and 32 digits', hint=hint, id="crm_contact_guard.E122")
        if not self.secrets("AUTH_TOKEN"):
            yield Error(f'{where}["AUTH_TOKEN"] is missing', hint=hint, id="crm_contact_guard.E122")
        key, secret = self.options.get("API_KEY"), self.options.get("API_SECRET")
        if bool(key) != bool(secret) or (key and not _API_KEY.fullmatch(str(key))):
            yield Error(
                f'{where}["API_KEY"] must be SK and 32 digits, with ["API_SECRET"]',
                hint=hint,
                id="crm_contact_guard.E122",
            )
        url = urlsplit(self.webhook_url())
        if url.scheme != "https" or not url.hostname:
            yield Error(
                f"Channel {self.alias!r} has no public https URL for Twilio's webhooks",
                hint=f'Set CONTACT_GUARD["PUBLIC_URL"] or {where}["WEBHOOK_URL"].',
                id="crm_contact_guard.E123",
            )


def own_path(alias: str) -> str:
    """Return the path of our webhook on this host."""
    try:
        return reverse("crm_contact_guard:webhook", args=[alias])
    except NoReverseMatch:
        return ""


def seconds(header: str) -> float | None:
    """Return a ``Retry-After`` header in seconds. Twilio sends no dates."""
    return float(header) if header.strip().isdecimal() else None


def _is_unsent(error: Exception) -> bool:
    """Whether no connection was established, meaning that the request was not sent."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, SSLError  # noqa: PLC0415

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError, SSLError))
