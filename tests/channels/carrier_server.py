"""A carrier's HTTP API on a real socket. It stores requests, and tests can make it fail like a real carrier."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Call:
    """One received request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """A header's value, case-insensitive; empty if it was not sent."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass(frozen=True)
class Answer:
    """The carrier's response. ``hang_up``: close the connection without a response."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    hang_up: bool = False

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> Self:
        """A JSON response. Underscores in header names become hyphens."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


HANG_UP = Answer(hang_up=True)


class CarrierServer:
    """Subclass per carrier and implement ``answer``. Responses queued in ``failures`` are returned first, one per
    request; with ``accepts_before_failing`` the request is processed as well, so that only the response is lost."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.failures: list[Answer] = []
        self.accepts_before_failing = False
        self.url = ""
        self._lock = threading.Lock()

    def answer(self, call: Call) -> Answer:
        raise NotImplementedError

    def fails(self, call: Call) -> bool:
        """Whether a queued failure applies to this request; subclasses can exempt other endpoints."""
        return bool(call.path)

    def take(self, call: Call) -> Answer:
        with self._lock:
            self.calls.append(call)
            if not (self.failures and self.fails(call)):
                return self.answer(call)
            if self.accepts_before_failing:
                self.answer(call)
            return self.failures.pop(0)

    @contextmanager
    def running(self) -> Iterator[Self]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join(60)


def _handler(carrier: CarrierServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = carrier.take(Call(self.command, self.path, dict(self.headers.items()), body))
            self.close_connection = True
            if answer.hang_up:
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "Transfer-Encoding" not in answer.headers:
                self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                self.wfile.write(answer.body)
            except OSError:
                # The client closed the connection, as in tests of size limits.
                return

        do_GET = do_POST = do_DELETE = _any  # noqa: N815 - the standard library's names

        def log_message(self, *_args: Any) -> None:
            return

    return Handler
