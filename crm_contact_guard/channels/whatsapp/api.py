"""pywa's client, restricted to Meta's hosts, with limits on time and size. Errors are raised as ChannelErrors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from crm_contact_guard.channels.base import FileIn, MediaRef
from crm_contact_guard.channels.bodies import bounded
from crm_contact_guard.channels.whatsapp.errors import refused
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError

if TYPE_CHECKING:
    import httpx
    from pywa.client import WhatsApp

#: Hosts of the API and of its media URLs.
HOSTS = ("graph.facebook.com", "lookaside.fbsbx.com")
_TIMEOUT = 20.0

Answer = TypeVar("Answer")


class Api:
    """Client for one company number at Meta. Thread-safe: each thread has its own pywa client."""

    def __init__(self, options: Mapping[str, Any], token: str) -> None:
        self._options = options
        self._token = token
        self._thread = threading.local()

    def ask(self, question: Callable[[WhatsApp], Answer]) -> Answer:
        """Call ``question`` with pywa's client, and return its result.

        Raises ChannelError, which is permanent or not depending on Meta's code.
        """
        import httpx  # noqa: PLC0415 - comes with the extra
        from pywa.errors import WhatsAppError  # noqa: PLC0415

        client = self._client()
        try:
            return question(client)
        except WhatsAppError as error:
            status, headers = error.status_code or 0, error.raw_response.headers if error.raw_response else {}
            waiting = str(headers.get("Retry-After", ""))
            words = f"{error.message} {error.details or ''}".strip()
            raise refused(status, error.code, words, float(waiting) if waiting.isdecimal() else None) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ChannelError(f"WhatsApp not reachable: {type(error).__name__}", permanent=False) from error
        except (httpx.HTTPError, KeyError, IndexError, ValueError) as error:
            # No complete or valid response: the message may have been sent.
            raise ChannelError(
                f"no valid response from WhatsApp: {type(error).__name__}", permanent=False, uncertain=True
            ) from error

    def download(self, media: MediaRef) -> FileIn:
        """Fetch a customer's file by its media ID.

        The API returns the file's URL, which is valid for five minutes and requires our token.
        """
        import httpx  # noqa: PLC0415

        if not (media.ref.isascii() and media.ref.isdecimal()):
            raise ChannelError("not a media id", permanent=True)
        info = self.ask(lambda client: client.api.get_media_url(media.ref))
        most = int(settings.MAX_INBOUND_BYTES)
        size = info.get("file_size")
        if isinstance(size, int) and size > most:
            raise ChannelError(f"media is larger than {most} bytes", permanent=True, detail={"code": "too-large"})
        try:
            with self._client().api.stream_media_bytes(str(info["url"])) as response:
                if response.status_code != 200:
                    raise refused(response.status_code, 0, "media refused")
                content = bounded(response.iter_bytes(), most=most)
        except httpx.HTTPError as error:
            raise ChannelError(f"media not reachable: {type(error).__name__}", permanent=False) from error
        except (httpx.InvalidURL, KeyError, ValueError) as error:
            raise ChannelError(f"no usable media URL: {type(error).__name__}", permanent=True) from error
        kind = str(media.content_type or info.get("mime_type") or "")
        return FileIn(
            name=media.name or media.ref,
            content_type=kind.partition(";")[0].strip() or "application/octet-stream",
            content=content,
        )

    def _client(self) -> WhatsApp:
        existing: WhatsApp | None = getattr(self._thread, "client", None)
        if existing is not None:
            return existing
        import httpx  # noqa: PLC0415 - comes with the extra
        from pywa.client import WhatsApp  # noqa: PLC0415

        session = httpx.Client(
            timeout=float(self._options.get("TIMEOUT", _TIMEOUT)), event_hooks={"request": [self._only_meta]}
        )
        version = {"api_version": self._options["API_VERSION"]} if self._options.get("API_VERSION") else {}
        client = WhatsApp(phone_id=str(self._options["PHONE_NUMBER_ID"]), token=self._token, session=session, **version)
        if self._options.get("API_URL"):
            # The library has set its own base URL.
            session.base_url = httpx.URL(str(self._options["API_URL"]).rstrip("/") + session.base_url.path)
        self._thread.client = client
        return client

    def _only_meta(self, request: httpx.Request) -> None:
        """Refuse requests to other hosts, even after a redirect, since they would disclose the token and allow SSRF."""
        own = urlsplit(str(self._options.get("API_URL") or ""))
        if own.netloc and (request.url.scheme, request.url.netloc.decode()) == (own.scheme, own.netloc):
            return
        if request.url.scheme != "https" or request.url.netloc.decode() not in HOSTS:
            raise ChannelError(f"{request.url.host} is not a host of Meta", permanent=True)
