"""Configuration of the LINE and LINE WORKS channels with local servers, and requests to their webhooks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests import factories
from tests.channels import line_server, line_works_server

FIXTURES = Path(__file__).parent / "fixtures"


def line_options(url: str, **more: object) -> dict[str, Any]:
    secrets = {"CHANNEL_ACCESS_TOKEN": line_server.TOKEN, "CHANNEL_SECRET": line_server.SECRET}
    return {**secrets, "HOST": url, "TIMEOUT": 30, **more}


def works_options(url: str, **more: object) -> dict[str, Any]:
    given = {
        "BOT_ID": line_works_server.BOT_ID,
        "BOT_SECRET": line_works_server.BOT_SECRET,
        "CLIENT_ID": line_works_server.CLIENT_ID,
        "CLIENT_SECRET": line_works_server.CLIENT_SECRET,
        "SERVICE_ACCOUNT": line_works_server.SERVICE_ACCOUNT,
        "PRIVATE_KEY": line_works_server.PRIVATE_KEY,
    }
    return {**given, "API_URL": url, "AUTH_URL": url, "TIMEOUT": 30, **more}


def configure(settings: Any, alias: str, backend: str, options: dict[str, Any], **more: object) -> None:
    """Add one channel to the tests' settings."""
    given = {"BACKEND": backend, "OPTIONS": options}
    factories.add_channels(settings, {alias: given}, PUBLIC_URL="https://kaede.example", **more)


def payload(folder: str, name: str) -> bytes:
    """A sample webhook as sent by the carrier: UTF-8 without escapes and line breaks."""
    given = json.loads((FIXTURES / folder / f"{name}.json").read_text(encoding="utf-8"))
    return json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()


def call_line(body: bytes, *, secret: str = line_server.SECRET, signature: str | None = None) -> HttpResponse:
    """Call the webhook like LINE. CSRF protection is on, since LINE has no cookie."""
    given = line_server.signature(body, secret) if signature is None else signature
    headers = {"X-Line-Signature": given, "User-Agent": "LineBotWebhook/2.0"} if given else {}
    client = Client(enforce_csrf_checks=True)
    return client.post("/guard/webhooks/line/", body, content_type="application/json; charset=utf-8", headers=headers)


def call_works(
    body: bytes, *, secret: str = line_works_server.BOT_SECRET, signature: str | None = None
) -> HttpResponse:
    """Call the webhook like LINE WORKS."""
    given = line_works_server.signature(body, secret) if signature is None else signature
    headers = {"X-WORKS-BotId": line_works_server.BOT_ID, **({"X-WORKS-Signature": given} if given else {})}
    client = Client(enforce_csrf_checks=True)
    return client.post("/guard/webhooks/works/", body, content_type="application/json; charset=utf-8", headers=headers)
