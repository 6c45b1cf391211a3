"""What only the installation itself can say or do: its people at the start, its record at the end. Prints JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from crm_contact_guard import gateway  # noqa: E402
from crm_contact_guard.channels import registry  # noqa: E402
from crm_contact_guard.channels.base import InboundMessage  # noqa: E402
from crm_contact_guard.conversations.chat_links import chat_link_create  # noqa: E402
from crm_contact_guard.conversations.lifecycle import conversation_open  # noqa: E402
from crm_contact_guard.conversations.models import CarrierEventId  # noqa: E402
from crm_contact_guard.delivery.models import Delivery  # noqa: E402
from crm_contact_guard.directory import changes  # noqa: E402
from crm_contact_guard.directory.addresses import normalise  # noqa: E402
from crm_contact_guard.hosting import database  # noqa: E402
from crm_contact_guard.record.models import Event, Message  # noqa: E402
from crm_contact_guard.supervision import inspection  # noqa: E402
from crm_contact_guard.tokens import issuing as tokens  # noqa: E402
from tests import factories  # noqa: E402
from tests.services.kills.world import ATTEMPT  # noqa: E402

CHATS = 6


def people(addresses: dict[str, str]) -> dict[str, Any]:
    """A clerk, a customer with all these addresses who has just written over each channel that asks for it, and some
    who chat."""
    call_command("migrate", verbosity=0)
    clerk = factories.employee("aoi", branch=factories.team(head="sora"), hours={"mon-sun": "00:00-24:00"})
    talk = factories.conversation(clerk, channel="email", email=addresses.pop("email"))
    for kind, value in addresses.items():
        talk.customer.addresses.create(kind=kind, value=value, normalised=normalise(kind, value))
    with database.atomic():
        changes.customers_changed([talk.customer_id])
    for alias in registry.aliases():
        channel = registry.channel(alias)
        if channel.session_window is not None:
            address = addresses[channel.address_kind]
            opening = InboundMessage(
                channel=alias, event_id="opening", from_address=address, text="Hi", occurred_at=timezone.now()
            )
            gateway.receive(opening)
    chats = []
    for number in range(CHATS):
        chat = conversation_open(customer=factories.customer(f"Guest {number}", manager=clerk), channel="chat")
        chats.append({"id": str(chat.pk), "token": chat_link_create(conversation=chat, created_by=clerk)[1]})
    return {
        "talk": str(talk.pk),
        "reply_token": talk.reply_token,
        "clerk": clerk.key,
        "chats": chats,
        "token": tokens.token_create(employee=clerk, name="kills").text,
    }


def record() -> dict[str, Any]:
    """All that is on record, as far as carriers and people know of it."""
    return {
        "inbound": [[row.channel, row.text] for row in Message.objects.filter(direction="inbound")],
        "outbound": [_outbound(row) for row in Delivery.objects.select_related("message")],
        "events": [[row.channel, row.event_id] for row in CarrierEventId.objects.all()],
        "unknown": [row.subject_id for row in Event.objects.filter(kind="carrier.unknown")],
        "calls": [[row.carrier_id, row.channel] for row in Message.objects.filter(kind="call")],
        "asked": [row.subject_id for row in Event.objects.filter(kind="call.asked")],
        "uninspected": len(inspection.uninspected(since=timezone.now() - timezone.timedelta(days=1))),
        "unalerted": Message.objects.filter(text__contains=ATTEMPT).exclude(findings__alert__isnull=False).count(),
        "without_delivery": Message.objects.filter(direction="outbound", delivery__isnull=True).count(),
    }


def _outbound(row: Delivery) -> dict[str, Any]:
    events = list(row.message.events.filter(kind__startswith="delivery.").order_by("recorded_at", "id"))
    kinds = [event.kind.removeprefix("delivery.") for event in events]
    return {
        "id": str(row.message_id),
        "text": row.message.text,
        "channel": row.message.channel,
        "idempotent": registry.channel(row.message.channel).supports_idempotency,
        "state": row.state,
        "carrier_id": row.carrier_id,
        "attempts": row.attempts,
        "marked": sum('"possible_duplicate":true' in event.data for event in events if "attempted" in event.kind),
        "events": kinds,
        "error": row.last_error,
    }


def _main(word: str, *given: str) -> dict[str, Any]:
    if word == "record":
        return record()
    if word == "people":
        return people(json.loads(given[0]))
    from tests.services.kills import rows  # its models can be imported only after ``django.setup``

    return rows.desk(int(given[0])) if word == "desk" else record() | rows.record()


if __name__ == "__main__":
    print(json.dumps(_main(*sys.argv[1:])))
