"""LINE WORKS' API 2.0 according to developers.worksmobile.com: service account, bot messages, attachments."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl, quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.channels.carrier_server import Answer, Call, CarrierServer

CLIENT_ID = "works-client"
CLIENT_SECRET = "works-client-secret"
SERVICE_ACCOUNT = "abcde.serviceaccount@kaede.example"
BOT_ID = "2000001"
BOT_SECRET = "works-bot-secret"
USER = "c72af563-0f21-4736-11e4-045237113344"

TOO_FAST = Answer.of({"code": "TOO_MANY_REQUESTS", "description": "API rate limit exceeded"}, 429, rateLimit_reset="23")
NOT_FOUND = Answer.of({"code": "NOT_FOUND", "description": "Not found"}, 404)
BROKEN = Answer.of({"code": "INTERNAL_SERVER_ERROR", "description": "Internal server error"}, 500)

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
#: The service account's private key in the console's format.
PRIVATE_KEY = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


def signature(body: bytes, secret: str = BOT_SECRET) -> str:
    """``X-WORKS-Signature``: HMAC-SHA256 of the body by the Bot Secret, base64."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class LineWorksServer(CarrierServer):
    """Token server, API and storage. ``delivered``: messages that members got. Queued failures apply to messages. A
    token in ``revoked`` is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered: list[dict[str, Any]] = []
        self.names = {USER: {"lastName": "佐藤", "firstName": "健"}}
        self.attachments: dict[str, Answer] = {}
        self.uploads: dict[str, bytes] = {}
        self.tokens: list[str] = []
        self.revoked: set[str] = set()
        self.scopes: list[str] = []
        self.refused_uploads = False
        self.redirect_to = ""
        #: Number of messages accepted before queued failures apply.
        self.failures_after = 0

    @property
    def messages(self) -> list[Call]:
        return [call for call in self.calls if call.path.endswith("/messages")]

    def fails(self, call: Call) -> bool:
        return call.path.endswith("/messages") and len(self.delivered) >= self.failures_after

    def answer(self, call: Call) -> Answer:
        if call.path == "/oauth2/v2.0/token":
            return self._token(call)
        token = call.header("Authorization").removeprefix("Bearer ")
        if token not in self.tokens or token in self.revoked:
            return Answer.of({"code": "UNAUTHORIZED", "description": "Authentication failed"}, 401)
        parts = call.path.strip("/").split("/")
        if parts[:3] == ["v1.0", "bots", BOT_ID]:
            return self._bot(call, parts[3:])
        if parts[:2] == ["v1.0", "users"] and parts[2] in self.names:
            return Answer.of({"userId": parts[2], "userName": self.names[parts[2]]})
        return self._storage(call, parts) or NOT_FOUND

    def _bot(self, call: Call, parts: list[str]) -> Answer:
        match parts:
            case ["users", user, "messages"]:
                return self._message(user, call)
            case ["attachments"]:
                file_id = f"jp1.16286953150086710{len(self.uploads):02d}.1628781715.0.1000001.0.0.0"
                url = f"{self.url}/k/emsg/r/{file_id}/{quote(call.json['fileName'])}"
                return Answer.of({"fileId": file_id, "uploadUrl": url})
            case ["attachments", file_id] if file_id in self.attachments:
                return Answer(302, b"", {"Location": self.redirect_to or f"{self.url}/download/{file_id}"})
            case _:
                return NOT_FOUND

    def _storage(self, call: Call, parts: list[str]) -> Answer | None:
        match parts:
            case ["k", "emsg", "r", _file_id, _name] if self.refused_uploads:
                return Answer.of({"code": "INVALID_PARAMETER", "description": "the extension is blocked"}, 400)
            case ["k", "emsg", "r", file_id, _name]:
                self.uploads[file_id] = call.body
                return Answer.of({})
            case ["download", file_id]:
                return self.attachments[file_id]
            case _:
                return None

    def _token(self, call: Call) -> Answer:
        form = dict(parse_qsl(call.body.decode()))
        problem = _token_problem(form)
        if problem:
            return Answer.of({"code": "UNAUTHORIZED", "detail": problem, "error": "invalid_client"}, 401)
        self.scopes.append(form["scope"])
        token = f"works-token-{len(self.tokens) + 1}"
        self.tokens.append(token)
        return Answer.of(
            {
                "access_token": token,
                "refresh_token": "unused",
                "token_type": "Bearer",
                "expires_in": "86400",
                "scope": form["scope"],
            }
        )

    def _message(self, user: str, call: Call) -> Answer:
        if user not in self.names:
            return Answer.of({"code": "NOT_FOUND", "description": "User not found"}, 404)
        content = call.json["content"]
        if content["type"] == "text" and not 1 <= len(content["text"]) <= 2000:
            return Answer.of({"code": "INVALID_PARAMETER", "description": "content.text length"}, 400)
        if content["type"] in ("image", "file") and content["fileId"] not in self.uploads:
            return Answer.of({"code": "INVALID_PARAMETER", "description": "content.fileId is invalid"}, 400)
        self.delivered.append({"to": user, **content})
        return Answer(201, b"")


def _token_problem(form: dict[str, str]) -> str:
    """The checks of RFC 7523 that the token server makes."""
    if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
        return "unsupported grant_type"
    if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
        return "client credentials invalid"
    head, claims, signed = form.get("assertion", "").split(".")
    try:
        _KEY.public_key().verify(_decoded(signed), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return "assertion signature invalid"
    said = json.loads(_decoded(claims))
    if json.loads(_decoded(head)) != {"alg": "RS256", "typ": "JWT"}:
        return "assertion header invalid"
    if (said["iss"], said["sub"]) != (CLIENT_ID, SERVICE_ACCOUNT) or not 0 < said["exp"] - said["iat"] <= 3600:
        return "assertion claims invalid"
    return ""


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
