"""List a day's messages from Twilio's API (https://www.twilio.com/docs/messaging/api/message-resource)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from crm_contact_guard.channels.base import Carried, InboundMessage, MediaRef
from crm_contact_guard.channels.twilio import inbound

if TYPE_CHECKING:
    from twilio.rest import Client

    from crm_contact_guard.channels.twilio.messages import SmsChannel

_PAGE = 1000


def messages(client: Client, channel: SmsChannel, day: date) -> Iterator[Carried]:
    """Yield all messages of the day (UTC) that the channel's sender sent or received, and opt-outs among them."""
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1)
    for row in client.messages.stream(date_sent=day.isoformat(), page_size=_PAGE):
        received = row.direction == "inbound"
        own = (row.to if received else row.from_) or ""
        at = row.date_sent or row.date_created
        if at is None or not start <= at < end or not row.sid or not channel.is_ours(own, row.messaging_service_sid):
            continue
        if not received:
            yield Carried(carrier_id=row.sid, inbound=False, occurred_at=at)
            continue
        values = {"MessageSid": row.sid, "From": row.from_ or "", "To": row.to or "", "Body": row.body or ""}
        event = _event(client, channel, row, values, at)
        yield Carried(carrier_id=row.sid, inbound=True, occurred_at=at, event=event)
        for word in inbound.contact(values, channel.alias, channel.prefix, at):
            yield Carried(carrier_id=word.event_id, inbound=True, occurred_at=at, event=word)


def _event(client: Client, channel: SmsChannel, row: Any, values: dict[str, str], at: datetime) -> InboundMessage:
    """Return the message as in its webhook, except for data that only the webhook contains (profile name, buttons)."""
    event = inbound.message(values, channel.alias, channel.prefix, at)
    if not int(row.num_media or 0):
        return event
    media = tuple(
        MediaRef(ref=str(media_row.uri).removesuffix(".json"), content_type=media_row.content_type or "")
        for media_row in client.messages(row.sid).media.list()
    )
    return replace(event, media=media)
