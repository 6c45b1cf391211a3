"""The sending APIs of Mailgun, Postmark, SendGrid and Brevo, according to their documentation."""

from __future__ import annotations

import base64
import json
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.channels.carrier_server import Answer, Call, CarrierServer

FIXTURES = Path(__file__).parent / "fixtures"
KEY = "esp-api-key-0123456789"
REFUSED = "nobody@mail.example"


def golden(esp: str, name: str) -> Any:
    """A payload from the service's documentation, with the tests' people."""
    return json.loads((FIXTURES / esp / f"{name}.json").read_text())


class EspServer(CarrierServer):
    """``mails`` are the accepted ones: the text and the request."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[dict[str, Any]] = []

    def refusal(self) -> Answer:
        """The response to a mail that is refused permanently."""
        raise NotImplementedError

    @property
    def texts(self) -> list[str]:
        raise NotImplementedError


class Mailgun(EspServer):
    def answer(self, call: Call) -> Answer:
        if call.header("Authorization") != "Basic " + base64.b64encode(f"api:{KEY}".encode()).decode():
            return Answer(401, b"Forbidden", {"Content-Type": "text/plain"})
        if call.path != "/v3/kaede.example/messages":
            return Answer.of({"message": "Domain not found: " + call.path.split("/")[2]}, 404)
        self.mails.append(_form(call))
        return Answer.of(golden("mailgun", "sent"))

    def refusal(self) -> Answer:
        return Answer.of({"message": "'to' parameter is not a valid address. please check documentation"}, 400)

    @property
    def texts(self) -> list[str]:
        return [mail["text"][0] for mail in self.mails]


class Postmark(EspServer):
    def answer(self, call: Call) -> Answer:
        if call.header("X-Postmark-Server-Token") != KEY:
            return Answer.of({"ErrorCode": 10, "Message": "No Account or Server API tokens were supplied."}, 401)
        if call.path != "/email":
            return Answer(404)
        self.mails.append(call.json)
        return Answer.of(golden("postmark", "sent"))

    def refusal(self) -> Answer:
        return Answer.of(golden("postmark", "inactive"), 422)

    @property
    def texts(self) -> list[str]:
        return [mail["TextBody"] for mail in self.mails]


class SendGrid(EspServer):
    def answer(self, call: Call) -> Answer:
        if call.header("Authorization") != f"Bearer {KEY}":
            return Answer.of({"errors": [{"message": "authorization required", "field": None, "help": None}]}, 401)
        if call.path != "/v3/mail/send":
            return Answer(404)
        self.mails.append(call.json)
        return Answer(202, b"", {"X-Message-Id": "14c5d75ce93.dfd.64b469"})

    def refusal(self) -> Answer:
        problem = {"message": "Does not contain a valid address.", "field": "personalizations.0.to.0.email"}
        return Answer.of({"errors": [problem]}, 400)

    @property
    def texts(self) -> list[str]:
        return [part["value"] for mail in self.mails for part in mail["content"] if part["type"] == "text/plain"]


class Brevo(EspServer):
    def answer(self, call: Call) -> Answer:
        if call.header("api-key") != KEY:
            return Answer.of({"code": "unauthorized", "message": "Key not found"}, 401)
        if call.path != "/v3/smtp/email":
            return Answer(404)
        self.mails.append(call.json)
        return Answer.of(golden("brevo", "sent"), 201)

    def refusal(self) -> Answer:
        return Answer.of({"code": "invalid_parameter", "message": "email is not valid in to"}, 400)

    @property
    def texts(self) -> list[str]:
        return [mail["textContent"] for mail in self.mails]


def _form(call: Call) -> dict[str, list[Any]]:
    """The fields of a form; for files, name and content."""
    kind = call.header("Content-Type")
    if not kind.startswith("multipart/form-data"):
        return dict(parse_qs(call.body.decode()))
    fields: dict[str, list[Any]] = {}
    for part in message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + call.body).walk():
        if part.is_multipart():
            continue
        name = str(part.get_param("name", header="Content-Disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        file = part.get_filename()
        fields.setdefault(name, []).append((file, content) if file else content.decode())
    return fields


def multipart(fields: dict[str, str], files: dict[str, tuple[str, str, bytes]]) -> tuple[bytes, str]:
    """Body and content type of a multipart form."""
    edge = "xYzZY"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, (file, kind, content) in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="{file}"\r\nContent-Type: {kind}'
        parts.append(f"--{edge}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"


def basic(user_and_password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(user_and_password.encode()).decode()}
