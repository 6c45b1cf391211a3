"""One POST to the reader's endpoint: to an address that was looked at, by verified TLS, bounded in time and size.

The standard library's ``http.client`` and no other, since what matters here lies below any library's surface: the
address is resolved once, judged, and that very address is connected to (a name can't lead elsewhere meanwhile); no
redirect is followed, no proxy asked; and one clock ends everything, a server that drips byte by byte included.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from crm_contact_guard.reading.addresses import refusal

#: The largest answer that is read, in bytes.
LARGEST: Final = 256 * 1024
_PIECE: Final = 16 * 1024


class Unanswered(Exception):
    """No answer; ``str`` is a word for it, such as "timeout", "refused_address", "redirect" or "http_500".

    ``says`` is a sentence for whoever sets the reader up. Neither holds anything that the server wrote.
    """

    def __init__(self, code: str, says: str = "", *, status: int = 0) -> None:
        super().__init__(code)
        self.says = says or code
        self.status = status


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, allow_external: bool) -> bytes:
    """The body of the answer with status 200. Raises Unanswered, ``seconds`` after the call at the latest."""
    parts = urlsplit(url)
    clock = _Clock(seconds)
    connection = _Connection(parts, clock, allow_external=allow_external)
    try:
        connection.request("POST", parts.path or "/", body=body, headers={**headers, "Connection": "close"})
        content = _content(connection.getresponse())
        clock.left()  # a socket that was shut down looks like an answer that has come to its end
        return content
    except (OSError, HTTPException, ValueError) as error:
        # The clock shuts the socket down, which any of these calls tells in its own way.
        if clock.is_over() or isinstance(error, TimeoutError):
            raise Unanswered("timeout", f"did not answer within {seconds:g} seconds") from error
        if isinstance(error, ssl.SSLError):
            raise Unanswered("tls", "its certificate is not valid for this name, or its TLS is broken") from error
        raise Unanswered("unreachable", f"can't be reached: {type(error).__name__}") from error
    finally:
        clock.stop()
        connection.close()


def _content(answer: HTTPResponse) -> bytes:
    if 300 <= answer.status < 400:
        raise Unanswered("redirect", "answers with a redirect, which is not followed", status=answer.status)
    if answer.status != 200:
        raise Unanswered(f"http_{answer.status}", f"answers {answer.status}", status=answer.status)
    content = bytearray()
    while piece := answer.read(_PIECE):
        content += piece
        if len(content) > LARGEST:
            raise Unanswered("too_large", f"answers with more than {LARGEST} bytes")
    return bytes(content)


class _Clock:
    """Ends a socket when the time is over, whatever call waits on it: a time limit on each call alone never ends a
    server that sends a byte now and then."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True
        self._timer.start()

    def left(self) -> float:
        """Seconds until then. Raises TimeoutError when there are none."""
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
                return  # it is closed already


class _Connection(HTTPConnection):
    def __init__(self, url: SplitResult, clock: _Clock, *, allow_external: bool) -> None:
        self._secure = url.scheme == "https"
        super().__init__(url.hostname or "", url.port or (443 if self._secure else 80))
        self._clock = clock
        self._allow_external = allow_external

    def connect(self) -> None:
        """Connect to one of the name's addresses, if all of them are allowed: one that is not has no business there."""
        found = _resolved(self.host, self.port, self._clock.left())
        for *_, address in found:
            says = refusal(ip_address(address[0].partition("%")[0]), secure=self._secure, external=self._allow_external)
            if says:
                raise Unanswered("refused_address", says)
        plain = self._connected(found)
        self._clock.watch(plain)
        if not self._secure:
            self.sock = plain
            return
        try:
            # The handshake goes on over the same descriptor, so that the clock can end it too.
            self.sock = _trust().wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
            self._clock.watch(self.sock)
            self.sock.do_handshake()
        except BaseException:
            plain.close()
            raise

    def _connected(self, found: list[Any]) -> socket.socket:
        problem: OSError = OSError("no address")
        for family, kind, protocol, _, address in found:
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
    """The name's addresses. In a thread of its own: the system's resolver takes as long as it likes."""
    found: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def look() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.put(error if isinstance(error, OSError) else OSError("no name"))

    threading.Thread(target=look, daemon=True).start()
    try:
        result = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(result, OSError):
        raise result
    return result
