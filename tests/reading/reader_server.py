"""A chat endpoint on a real socket, with scripted answers and the failures of real servers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.test import override_settings

from tests.channels.carrier_server import Answer, Call, CarrierServer

NO = {"why": "A harmless question.", "attempt": False, "by": "nobody", "message": 0}
YES = {"why": "The customer wants to go on elsewhere.", "attempt": True, "by": "customer", "message": 0}


def completion(content: object) -> Answer:
    """A chat completion with this content; a string unchanged, anything else as JSON."""
    said = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return Answer.of({"choices": [{"index": 0, "message": {"role": "assistant", "content": said}}]})


class ReaderServer(CarrierServer):
    """``says``: the content of each answer."""

    def __init__(self) -> None:
        super().__init__()
        self.says: object = NO

    def answer(self, call: Call) -> Answer:
        return completion(self.says)

    @property
    def questions(self) -> list[Any]:
        return [call.json for call in self.calls]

    def talk(self, number: int = -1) -> list[dict[str, Any]]:
        """The messages in a question."""
        _fence, talk, _end = self.questions[number]["messages"][1]["content"].split("\n")
        return list(json.loads(talk))


def reader(server: ReaderServer | str, **options: object) -> override_settings:
    """Settings with a reader at the server."""
    url = server if isinstance(server, str) else f"{server.url}/v1"
    given = {"URL": url, "MODEL": "small", "API_KEY": "sk-secret-key", "TIMEOUT": 10, **options}
    industry = str(given.pop("INDUSTRY", "general"))
    return override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "READER": given, "INDUSTRY": industry})


@contextmanager
def dripping(head: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n") -> Iterator[str]:
    """A server that sends ``head`` and then single bytes without an end. Yields its address."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                opened, _ = listening.accept()
            except OSError:
                return
            with opened:
                try:
                    opened.sendall(head)
                    while not over.wait(0.05):
                        opened.sendall(b"x")
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        finally:
            over.set()
            listening.close()
            thread.join(10)
