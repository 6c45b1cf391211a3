"""Fetching what customers sent as media: by the account's password from Twilio's API, which hands on to its CDN.

The address in a webhook is only read for its ids; what is asked is built from the settings. A redirect is followed
once, without the password, and to Twilio's own hosts alone, so that nobody can point us at the inside of the company's
network.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from crm_contact_guard.channels.base import FileIn, MediaRef
from crm_contact_guard.channels.twilio.errors import refused
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError

if TYPE_CHECKING:
    from requests import Response

API = "https://api.twilio.com"
#: Where the API's answers lead (https://www.twilio.com/docs/messaging/api/media-resource).
HOSTS = ("mms.twiliocdn.com", "media.twiliocdn.com", "s3-external-1.amazonaws.com")
_IDS = re.compile(r"/Messages/((?:SM|MM)[0-9a-f]{32})/Media/(ME[0-9a-f]{32})(?:\.json)?/?$")
_CHUNK = 64 * 1024
_TIMEOUT = (5, 30)  # seconds to connect, and between two pieces


def fetch(reference: MediaRef, *, api: str, account: str, user: tuple[str, str], hosts: tuple[str, ...]) -> FileIn:
    """The file behind a ``MediaUrl``. Raises ChannelError, permanent when it is gone, too large or not Twilio's."""
    import requests  # noqa: PLC0415 - comes with the extra

    ids = _IDS.search(urlsplit(reference.ref).path)
    if ids is None:
        raise ChannelError("not an address of Twilio's media", permanent=True)
    url = f"{api}/2010-04-01/Accounts/{account}/Messages/{ids[1]}/Media/{ids[2]}"
    try:
        with requests.Session() as session:
            with session.get(url, auth=user, allow_redirects=False, stream=True, timeout=_TIMEOUT) as first:
                if not first.is_redirect:
                    return _read(first, reference, ids[2])
                target = urljoin(url, first.headers["Location"])
            if not _is_twilio(target, api, hosts):
                raise ChannelError(f"media leads to {urlsplit(target).hostname}, not Twilio's", permanent=True)
            with session.get(target, auth=_nobody, allow_redirects=False, stream=True, timeout=_TIMEOUT) as second:
                return _read(second, reference, ids[2])
    except requests.RequestException as error:
        raise ChannelError(f"media not reached: {type(error).__name__}", permanent=False) from error


def _is_twilio(target: str, api: str, hosts: tuple[str, ...]) -> bool:
    """The API's own host as configured, or one of the named ones by https and its usual port."""
    asked, own = urlsplit(target), urlsplit(api)
    if (asked.scheme, asked.netloc) == (own.scheme, own.netloc):
        return True
    return asked.scheme == "https" and asked.netloc in hosts


def _nobody(request: Any) -> Any:
    """Ask without a password: neither the account's nor one for that host in the machine's ``.netrc``."""
    return request


def _read(response: Response, reference: MediaRef, name: str) -> FileIn:
    """The content, no more of it than ``MAX_INBOUND_BYTES``: a carrier's word on the length is not believed."""
    if response.status_code != 200:
        raise refused(response.status_code, 0, "media refused")
    most = int(settings.MAX_INBOUND_BYTES)
    content = bytearray()
    for piece in response.iter_content(_CHUNK):
        content += piece
        if len(content) > most:
            raise ChannelError(f"media is larger than {most} bytes", permanent=True, detail={"code": "too-large"})
    content_type = reference.content_type or response.headers.get("Content-Type", "")
    return FileIn(
        name=reference.name or name,
        content_type=content_type.partition(";")[0].strip() or "application/octet-stream",
        content=bytes(content),
    )
