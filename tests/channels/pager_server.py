"""The carrier of the test channel: accepts messages and calls, stores files, and has a log."""

from __future__ import annotations

from typing import Any

from tests.channels.carrier_server import Answer, Call, CarrierServer


class PagerServer(CarrierServer):
    """``log``: entries of its log. ``media``: files by reference."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, dict[str, Any]] = {}
        self.phone_calls: list[dict[str, Any]] = []
        self.media: dict[str, str] = {}
        self.log: list[dict[str, Any]] = []

    def answer(self, call: Call) -> Answer:
        order = call.json
        match call.path:
            case "/messages":
                self.messages[f"pager-{order['id']}"] = order
                return Answer.of({"id": f"pager-{order['id']}"})
            case "/calls":
                self.phone_calls.append(order)
                return Answer.of({"id": f"call-{order['id']}"})
            case "/media":
                if order["ref"] not in self.media:
                    return Answer.of({}, 404)
                return Answer.of({"content": self.media[order["ref"]]})
        return Answer.of({"entries": [entry for entry in self.log if entry["at"].startswith(order["day"])]})
