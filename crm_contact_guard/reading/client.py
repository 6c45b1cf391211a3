"""Sends one request, to the reader or for a roster: to a checked address, over verified TLS, within limits.

This module uses the standard library's ``http.client``, since HTTP libraries don't support these requirements:

* The name is resolved once, and the connection is made to an address that was checked, which prevents DNS rebinding.
* Redirects aren't followed, and proxies aren't used.
* A single deadline covers everything, even if the server sends its response byte by byte.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Container, Mapping
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from crm_contact_guard.reading.addresses import refusal

#: The maximum size of an answer, in bytes.
LARGEST: Final = 256 * 1024
_PIECE: Final = 16 * 1024
#: Returns why a connection to an address isn't allowed; empty if it is.
Refuse: TypeAlias = Callable[[IPv4Address | IPv6Address], str]


class Unanswered(Exception):
    """There was no answer. ``str`` is the error code, such as "timeout", "refused_address", "redirect" or "http_500".

    ``says`` explains the error to the person who sets up the reader. Neither contains text sent by the server.
    """

    def __init__(self, code: str, says: str = "", *, status: int = 0) -> None:
        super().__init__(code)
        self.says = says or code
        self.status = status


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, allow_external: bool) -> bytes:
    """Return the body of a response with status 200. Raise Unanswered, at the latest ``seconds`` after the call."""
    secure = urlsplit(url).scheme == "https"
    refuse = partial(refusal, secure=secure, external=allow_external)
    return _sent("POST", url, body, headers, seconds=seconds, largest=LARGEST, refuse=refuse)


def deliver(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, refuse: Refuse) -> None:
    """Send a POST request, with the query of the address, that any status from 200 to 299 answers. Raise Unanswered."""
    _sent("POST", url, body, headers, seconds=seconds, largest=LARGEST, refuse=refuse, query=True, ok=range(200, 300))


def get(url: str, headers: Mapping[str, str], *, seconds: float, largest: int, refuse: Refuse) -> bytes:
    """Return the body of a response with status 200 and at most ``largest`` bytes. Raise Unanswered."""
    return _sent("GET", url, None, headers, seconds=seconds, largest=largest, refuse=refuse, query=True)


def _sent(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    seconds: float,
    largest: int,
    refuse: Refuse,
    query: bool = False,
    ok: Container[int] = (200,),
) -> bytes:
    parts = urlsplit(url)
    clock = _Clock(seconds)
    try:
        connection = _Connection(parts, clock, refuse=refuse)
    except (HTTPException, ValueError) as error:
        clock.stop()
        raise Unanswered("unreachable", "isn't a valid address") from error
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query and query else "")
    try:
        connection.request(method, target, body=body, headers={**headers, "Connection": "close"})
        content = _content(connection.getresponse(), largest, ok)
        clock.left()  # after the socket was shut down, the response looks complete
        return content
    except (OSError, HTTPException, ValueError) as error:
        # When the clock shuts down the socket, each of these calls fails in its own way.
        if clock.is_over() or isinstance(error, TimeoutError):
            raise Unanswered("timeout", f"did not answer within {seconds:g} seconds") from error
        if isinstance(error, ssl.SSLError):
            raise Unanswered("tls", "its certificate is not valid for this name, or its TLS is broken") from error
        raise Unanswered("unreachable", f"can't be reached: {type(error).__name__}") from error
    finally:
        clock.stop()
        connection.close()


def _content(answer: HTTPResponse, largest: int, ok: Container[int]) -> bytes:
    if 300 <= answer.status < 400:
        raise Unanswered("redirect", "answers with a redirect, which is not followed", status=answer.status)
    if answer.status not in ok:
        raise Unanswered(f"http_{answer.status}", f"answers {answer.status}", status=answer.status)
    content = bytearray()
    while piece := answer.read(_PIECE):
        content += piece
        if len(content) > largest:
            raise Unanswered("too_large", f"answers with more than {largest} bytes")
    return bytes(content)


class _Clock:
    """Shuts down a socket at the deadline, whichever call is waiting for it.

    A timeout for each call would never stop a server that keeps sending single bytes.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True
        self._timer.start()

    def left(self) -> float:
        """Return the seconds left until the deadline. Raise TimeoutError after it."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def is_over(self) -> bool:
        return time.monotonic() >= self._end

    def watch(self, opened: socket.socket) -> None:
        self._socket = opened
        opened.settimeout(self.left())

    def stop(self) -> None:
        self._timer.cancel()

    def _shut(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # already closed


class _Connection(HTTPConnection):
    def __init__(self, url: SplitResult, clock: _Clock, *, refuse: Refuse) -> None:
        self._secure = url.scheme == "https"
        super().__init__(url.hostname or "", url.port or (443 if self._secure else 80))
        self._clock = clock
        self._refuse = refuse

    def connect(self) -> None:
        """Connect to one of the addresses of the host name, if all of them are allowed."""
        addresses = _resolved(self.host, self.port, self._clock.left())
        for *_, address in addresses:
            reason = self._refuse(ip_address(address[0].partition("%")[0]))
            if reason:
                raise Unanswered("refused_address", reason)
        plain = self._connected(addresses)
        self._clock.watch(plain)
        if not self._secure:
            self.sock = plain
            return
        try:
            # The handshake uses the same descriptor, so that the clock can also stop the handshake.
            self.sock = _trust().wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
            self._clock.watch(self.sock)
            self.sock.do_handshake()
        except BaseException:
            plain.close()
            raise

    def _connected(self, addresses: list[Any]) -> socket.socket:
        problem: OSError = OSError("no address")
        for family, kind, protocol, _, address in addresses:
            opened = socket.socket(family, kind, protocol)
            try:
                opened.settimeout(self._clock.left())
                opened.connect(address)
            except OSError as error:
                opened.close()
                problem = error
            else:
                return opened
        raise problem


def _trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _resolved(host: str, port: int, seconds: float) -> list[Any]:
    """Return the host's addresses. They are resolved in a thread, because the system's resolver has no timeout."""
    results: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def look() -> None:
        try:
            results.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            results.put(error if isinstance(error, OSError) else OSError("no name"))

    threading.Thread(target=look, daemon=True).start()
    try:
        result = results.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(result, OSError):
        raise result
    return result
