"""LINE's Messaging API according to developers.line.biz: push with retry key, profiles, contents, errors."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from uuid import UUID

from tests.channels.carrier_server import Answer, Call, CarrierServer

TOKEN = "line-access-token"
SECRET = "line-channel-secret"
USER = "U4af4980629f0b2a1c3d5e7f9a1b3c5d7"

MONTHLY_LIMIT = Answer.of({"message": "You have reached your monthly limit."}, 429)
TOO_FAST = Answer.of({"message": "The API rate limit has been exceeded. Try again later."}, 429)
BROKEN = Answer.of({"message": "Internal server error"}, 500)


def signature(body: bytes, secret: str = SECRET) -> str:
    """``X-Line-Signature``: HMAC-SHA256 of the body by the channel secret, base64."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class LineServer(CarrierServer):
    """``delivered``: messages that users got. ``profiles`` and ``contents``: data returned by the API. Queued failures
    apply to pushes."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered: list[dict[str, Any]] = []
        self.accepted: dict[str, dict[str, Any]] = {}
        self.profiles: dict[str, dict[str, str]] = {USER: {"displayName": "山田 花子", "language": "ja"}}
        self.contents: dict[str, Answer] = {}
        self.pushed_on: dict[str, int] = {}
        self.user_ids = {USER}
        self.token = TOKEN

    @property
    def pushes(self) -> list[Call]:
        return [call for call in self.calls if call.path == "/v2/bot/message/push"]

    def fails(self, call: Call) -> bool:
        return call.path == "/v2/bot/message/push"

    def answer(self, call: Call) -> Answer:
        if call.header("Authorization") != f"Bearer {self.token}":
            text = "Authentication failed. Confirm that the access token in the authorization header is valid."
            return Answer.of({"message": text}, 401, WWW_Authenticate='Bearer error="invalid_token"')
        if call.method == "POST" and call.path == "/v2/bot/message/push":
            return self._push(call)
        not_found = Answer.of({"message": "Not found"}, 404)
        path, _, query = call.path.partition("?")
        match path.strip("/").split("/"):
            case ["v2", "bot", "profile", user]:
                profile = self.profiles.get(user)
                return Answer.of({"userId": user, **profile}) if profile else not_found
            case ["v2", "bot", "message", "delivery", "push"]:
                day = query.removeprefix("date=")
                ready = day in self.pushed_on
                return Answer.of(
                    {"status": "ready", "success": self.pushed_on[day]} if ready else {"status": "unready"}
                )
            case ["v2", "bot", "message", message, "content"]:
                return self.contents.get(message, not_found)
            case _:
                return not_found

    def _push(self, call: Call) -> Answer:
        key = call.header("X-Line-Retry-Key")
        request = f"request-{len(self.calls)}"
        try:
            UUID(key)
        except ValueError:
            return Answer.of({"message": "The retry key must be a UUID"}, 400, X_Line_Request_Id=request)
        if key in self.accepted:
            first = self.accepted[key]
            answer = {"message": "The retry key is already accepted", "sentMessages": first["sentMessages"]}
            return Answer.of(answer, 409, X_Line_Request_Id=request, X_Line_Accepted_Request_Id=first["request"])
        asked = call.json
        if asked["to"] not in self.user_ids:
            text = "The property, 'to', in the request body is invalid (line: -, column: -)"
            return Answer.of({"message": text}, 400, X_Line_Request_Id=request)
        problem = _problem(asked["messages"])
        if problem:
            details = [{"message": problem, "property": "messages[0]"}]
            answer = {"message": "The request body has 1 error(s)", "details": details}
            return Answer.of(answer, 400, X_Line_Request_Id=request)
        number = 461230966842064897 + len(self.delivered)
        sent = [{"id": str(number + index)} for index in range(len(asked["messages"]))]
        self.accepted[key] = {"request": request, "sentMessages": sent}
        self.delivered += [{"to": asked["to"], **message} for message in asked["messages"]]
        return Answer.of({"sentMessages": sent}, 200, X_Line_Request_Id=request)


def _problem(messages: list[dict[str, Any]]) -> str:
    """The error of LINE's validation."""
    if not 1 <= len(messages) <= 5:
        return "Size must be between 1 and 5"
    for message in messages:
        if message["type"] == "text" and not 1 <= len(message["text"].encode("utf-16-le")) // 2 <= 5000:
            return "Length must be between 0 and 5000"
        for name in ("originalContentUrl", "previewImageUrl"):
            if message["type"] == "image" and not message.get(name, "").startswith("https://"):
                return "Must be a valid HTTPS URL"
    return ""
