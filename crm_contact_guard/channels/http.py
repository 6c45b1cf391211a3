"""Reading a carrier's HTTP answers (urllib3, which LINE's library brings as well): contents, waiting times, silence."""

from __future__ import annotations

from collections.abc import Mapping

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from crm_contact_guard.exceptions import ChannelError

_CHUNK = 65_536


def content_of(answer: BaseHTTPResponse, *, most: int) -> bytes:
    """The body, read piece by piece and no further than ``most`` bytes: carriers take files of any size. Raises
    ChannelError for a larger one, and urllib3's HTTPError when the connection breaks."""
    content = bytearray()
    try:
        for piece in answer.stream(_CHUNK):
            content += piece
            if len(content) > most:
                raise ChannelError(f"the file is larger than {most} bytes", permanent=True)
    finally:
        answer.close()
    return bytes(content)


def content_type_of(answer: BaseHTTPResponse) -> str:
    """The media type without its parameters."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip() or "application/octet-stream"


def lost(error: HTTPError, carrier: str, *, delivers: bool) -> ChannelError:
    """No answer to a call. ``delivers``: the call hands over a message; then only when no connection came about is it
    certain that the carrier has nothing."""
    unsent = isinstance(error, NewConnectionError | ConnectTimeoutError)
    return ChannelError(
        f"{carrier} not reachable: {type(error).__name__}", permanent=False, uncertain=delivers and not unsent
    )


def seconds(headers: Mapping[str, str] | None, *names: str) -> float | None:
    """The first of the headers that holds a number of seconds."""
    for name in names:
        given = str((headers or {}).get(name, ""))
        if given.isdecimal():
            return float(given)
    return None
