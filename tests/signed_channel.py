"""A channel as a third party would write one, added by dotted path: JSON events under an HMAC signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest

from crm_contact_guard.channels.base import (
    CarrierEvent,
    Channel,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    Receipt,
    StatusEvent,
    UnknownEvent,
)
from crm_contact_guard.exceptions import InvalidPayload


class SignedChannel(Channel):
    """Options: ``SECRET``."""

    address_kind = "phone"
    verbose_name = "Pager"
    supports_webhook = True

    def send(self, message: OutboundMessage) -> Receipt:
        return Receipt(status=DeliveryStatus.SENT, carrier_id=f"pager-{message.message_id}")

    def verify(self, request: HttpRequest) -> None:
        expected = signature(request.body, self.options["SECRET"])
        if not hmac.compare_digest(expected, request.headers.get("X-Signature", "")):
            raise InvalidPayload("signature does not match")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        try:
            return [self._event(event) for event in json.loads(request.body)["events"]]
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidPayload(str(error)) from error

    def _event(self, event: dict[str, str]) -> CarrierEvent:
        at = datetime.fromisoformat(event["at"])
        if event["type"] == "message":
            return InboundMessage(
                channel=self.alias, event_id=event["id"], from_address=event["from"], text=event["text"], occurred_at=at
            )
        if event["type"] == "status":
            return StatusEvent(
                channel=self.alias,
                event_id=event["id"],
                carrier_id=event["message"],
                status=DeliveryStatus(event["status"]),
                occurred_at=at,
            )
        return UnknownEvent(
            channel=self.alias, event_id=event["id"], occurred_at=at, payload=json.dumps(event), reason="unknown type"
        )


def signature(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
