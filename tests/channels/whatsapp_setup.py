"""Configuration of the WhatsApp channel with a local server."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.directory.addresses import normalise
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
    known = settings.CONTACT_GUARD
    settings.CONTACT_GUARD = {**known, "CHANNELS": {**known["CHANNELS"], **ours}}


def talk(address: str = f"+{CUSTOMER}", *, opened: bool = True) -> Conversation:
    """A conversation with a customer on WhatsApp. ``opened``: the customer has just written."""
    found = factories.conversation(factories.employee("aoi"), channel="chat")
    found.customer.addresses.create(kind="whatsapp", value=address, normalised=normalise("whatsapp", address))
    if opened:
        opening = InboundMessage(
            channel="whatsapp", event_id="opening", from_address=address, text="Hello", occurred_at=timezone.now()
        )
        gateway.receive(opening)
    return found


def write(conversation: Conversation, text: str) -> Message:
    """A message of the employee in the outbox."""
    assert conversation.employee is not None
    sent = gateway.send(
        actor=conversation.employee,
        conversation=conversation,
        text=text,
        channel="whatsapp",
        occurred_at=factories.office_time(),
    )
    assert sent.message is not None
    return sent.message
