"""Helpers for HTTP responses from carriers. They use urllib3, which LINE's library also depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from crm_contact_guard.channels import bodies
from crm_contact_guard.exceptions import ChannelError

_CHUNK = 65_536


def content_of(answer: BaseHTTPResponse, *, most: int, within: float = bodies.WITHIN) -> bytes:
    """Return the body, read in chunks up to ``most`` bytes, since carriers accept files of any size.

    Raises ChannelError if the body is larger or takes longer than ``within`` seconds, and urllib3's HTTPError if the
    connection breaks.
    """
    try:
        return bodies.bounded(_pieces(answer), most=most, within=within)
    finally:
        answer.close()


def _pieces(answer: BaseHTTPResponse) -> Iterator[bytes]:
    """Yield the body as it arrives. ``stream`` would wait until a chunk is full."""
    if not hasattr(answer, "read1"):  # urllib3 before 2.2
        yield from answer.stream(_CHUNK, decode_content=True)
        return
    while piece := answer.read1(_CHUNK, decode_content=True):
        yield piece


def content_type_of(answer: BaseHTTPResponse) -> str:
    """Return the media type without its parameters."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip() or "application/octet-stream"


def lost(error: HTTPError, carrier: str, *, delivers: bool) -> ChannelError:
    """Return the ChannelError for a request that got no response.

    ``delivers``: whether the request sends a message. If so, the outcome is uncertain unless no connection was
    established.
    """
    unsent = isinstance(error, NewConnectionError | ConnectTimeoutError)
    return ChannelError(
        f"{carrier} not reachable: {type(error).__name__}", permanent=False, uncertain=delivers and not unsent
    )


def seconds(headers: Mapping[str, str] | None, *names: str) -> float | None:
    """Return the first of these headers that contains a number of seconds; None if none does."""
    for name in names:
        value = str((headers or {}).get(name, ""))
        if value.isdecimal():
            return float(value)
    return None
