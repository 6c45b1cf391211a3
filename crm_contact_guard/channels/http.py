"""Helpers for carriers' HTTP responses (urllib3, which LINE's library depends on as well)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from crm_contact_guard.channels import bodies
from crm_contact_guard.exceptions import ChannelError

_CHUNK = 65_536


def content_of(answer: BaseHTTPResponse, *, most: int, within: float = bodies.WITHIN) -> bytes:
    """The body, read in chunks and up to ``most`` bytes, since carriers accept files of any size.

    Raises ChannelError for a larger or slower body, and urllib3's HTTPError if the connection breaks.
    """
    try:
        return bodies.bounded(_pieces(answer), most=most, within=within)
    finally:
        answer.close()


def _pieces(answer: BaseHTTPResponse) -> Iterator[bytes]:
    """The body as it arrives: ``stream`` would wait until a chunk is full."""
    if not hasattr(answer, "read1"):  # urllib3 before 2.2
        yield from answer.stream(_CHUNK, decode_content=True)
        return
    while piece := answer.read1(_CHUNK, decode_content=True):
        yield piece


def content_type_of(answer: BaseHTTPResponse) -> str:
    """The media type without its parameters."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip() or "application/octet-stream"


def lost(error: HTTPError, carrier: str, *, delivers: bool) -> ChannelError:
    """The ChannelError for a request without a response.

    ``delivers``: the request sends a message, so the outcome is uncertain unless no connection was established.
    """
    unsent = isinstance(error, NewConnectionError | ConnectTimeoutError)
    return ChannelError(
        f"{carrier} not reachable: {type(error).__name__}", permanent=False, uncertain=delivers and not unsent
    )


def seconds(headers: Mapping[str, str] | None, *names: str) -> float | None:
    """The first of these headers that contains a number of seconds."""
    for name in names:
        value = str((headers or {}).get(name, ""))
        if value.isdecimal():
            return float(value)
    return None
