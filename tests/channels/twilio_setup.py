"""Configuration of the Twilio channels with a local server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crm_contact_guard.record.models import Conversation, Message
from tests import factories
from tests.channels.twilio_server import ACCOUNT, CUSTOMER, NUMBER, TOKEN

PUBLIC = "https://crm.kaede.example"
FIXTURES = Path(__file__).parent / "fixtures" / "twilio"
_PACKAGE = "crm_contact_guard.channels.twilio"
_BACKENDS = {"sms": "SmsChannel", "whatsapp": "WhatsAppChannel", "phone": "VoiceChannel"}


def configure(settings: Any, url: str = "", **more: Any) -> None:
    """Configure all three channels, with a public URL behind a proxy."""
    options = {"ACCOUNT_SID": ACCOUNT, "AUTH_TOKEN": TOKEN, "FROM": NUMBER, "API_URL": url, **more}
    ours = {alias: {"BACKEND": f"{_PACKAGE}.{name}", "OPTIONS": options} for alias, name in _BACKENDS.items()}
    factories.add_channels(settings, ours, PUBLIC_URL=PUBLIC)


def golden(name: str) -> str:
    return (FIXTURES / f"{name}.txt").read_text("ascii")


def talk(kind: str = "phone", address: str = CUSTOMER) -> Conversation:
    """A conversation with a customer who has this address; on WhatsApp, the customer has just written."""
    found = factories.reachable(kind, address)
    if kind == "whatsapp":
        factories.opening("whatsapp", address)
    return found


def write(conversation: Conversation, text: str, alias: str = "sms", **more: Any) -> Message:
    """A message of the employee in the outbox."""
    return factories.sent(conversation, text, alias, **more)
