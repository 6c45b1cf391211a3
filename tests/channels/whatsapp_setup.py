"""Configuration of the WhatsApp channel with a local server."""

from __future__ import annotations

from typing import Any

from crm_contact_guard.record.models import Conversation, Message
from tests import factories
from tests.channels.meta_server import CUSTOMER, NUMBER_ID, SECRET, TOKEN, VERIFY


def configure(settings: Any, url: str = "", **more: Any) -> None:
    options = {
        "PHONE_NUMBER_ID": NUMBER_ID,
        "ACCESS_TOKEN": TOKEN,
        "APP_SECRET": SECRET,
        "VERIFY_TOKEN": VERIFY,
        "API_URL": url,
        **more,
    }
    ours = {"whatsapp": {"BACKEND": "crm_contact_guard.channels.whatsapp.WhatsAppChannel", "OPTIONS": options}}
    factories.add_channels(settings, ours)


def talk(address: str = f"+{CUSTOMER}", *, opened: bool = True) -> Conversation:
    """A conversation with a customer on WhatsApp. ``opened``: the customer has just written."""
    found = factories.reachable("whatsapp", address)
    if opened:
        factories.opening("whatsapp", address)
    return found


def write(conversation: Conversation, text: str) -> Message:
    """A message of the employee in the outbox."""
    return factories.sent(conversation, text, "whatsapp")
