"""Fetch customers' media from Twilio's API, which redirects to its CDN.

Only the IDs are taken from the URL in a webhook. The URL that is requested is built from the settings. One redirect is
followed, without credentials and only to Twilio's hosts, which prevents server-side request forgery (SSRF).
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
#: Hosts that the API redirects to (https://www.twilio.com/docs/messaging/api/media-resource).
HOSTS = ("mms.twiliocdn.com", "media.twiliocdn.com", "s3-external-1.amazonaws.com")
_IDS = re.compile(r"/Messages/((?:SM|MM)[0-9a-f]{32})/Media/(ME[0-9a-f]{32})(?:\.json)?/?$")
_TIMEOUT = (5, 30)  # seconds: connect, read


def fetch(reference: MediaRef, *, api: str, account: str, user: tuple[str, str], hosts: tuple[str, ...]) -> FileIn:
    """Fetch the file that a ``MediaUrl`` refers to.

    Raises ChannelError, which is permanent if the file is missing, too large or not at Twilio.
    """
    import requests  # noqa: PLC0415 - comes with the extra
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    ids = _IDS.search(urlsplit(reference.ref).path)
    if ids is None:
        raise ChannelError("not a Twilio media URL", permanent=True)
    url = f"{api}/2010-04-01/Accounts/{account}/Messages/{ids[1]}/Media/{ids[2]}"
    try:
        with requests.Session() as session:
            with session.get(url, auth=user, allow_redirects=False, stream=True, timeout=_TIMEOUT) as first:
                if not first.is_redirect:
                    return _read(first, reference, ids[2])
                target = urljoin(url, first.headers["Location"])
            if not _is_twilio(target, api, hosts):
                raise ChannelError(f"media redirects to {urlsplit(target).hostname}, not to Twilio", permanent=True)
            with session.get(target, auth=_no_auth, allow_redirects=False, stream=True, timeout=_TIMEOUT) as second:
                return _read(second, reference, ids[2])
    except ValueError as error:
        raise ChannelError("media redirects to a malformed URL", permanent=True) from error
    except (requests.RequestException, HTTPError) as error:
        raise ChannelError(f"media not reachable: {type(error).__name__}", permanent=False) from error


def _is_twilio(target: str, api: str, hosts: tuple[str, ...]) -> bool:
    """Whether the target is the configured API's host, or one of ``hosts`` over https on the default port."""
    parts, own = urlsplit(target), urlsplit(api)
    if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
        return True
    return parts.scheme == "https" and parts.netloc in hosts


def _no_auth(request: Any) -> Any:
    """Send no credentials, neither the account's nor any from ``.netrc``."""
    return request


def _read(response: Response, reference: MediaRef, name: str) -> FileIn:
    """Read up to ``MAX_INBOUND_BYTES``, regardless of the declared length."""
    if response.status_code != 200:
        raise refused(response.status_code, 0, "media refused")
    from crm_contact_guard.channels.http import content_of  # noqa: PLC0415 - comes with the extra

    content = content_of(response.raw, most=int(settings.MAX_INBOUND_BYTES))
    content_type = reference.content_type or response.headers.get("Content-Type", "")
    return FileIn(
        name=reference.name or name,
        content_type=content_type.partition(";")[0].strip() or "application/octet-stream",
        content=content,
    )
