"""A channel as a third party would write one, added by dotted path: JSON both ways, events under an HMAC signature."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.core.checks import CheckMessage, Error
from django.http import HttpRequest

from crm_contact_guard.channels.address_kinds import PHONE
from crm_contact_guard.channels.base import (
    CallEvent,
    CallOutcome,
    Carried,
    CarrierEvent,
    Channel,
    ContactEvent,
    ContactKind,
    DeliveryStatus,
    FileIn,
    InboundMessage,
    MediaRef,
    OutboundMessage,
    PhoneCall,
    Receipt,
    StatusEvent,
    UnknownEvent,
)
from crm_contact_guard.exceptions import ChannelError, InvalidPayload


class SignedChannel(Channel):
    """Options: ``SECRET`` (one, or a list while it is exchanged), ``URL`` of the carrier's API (without it
    everything is taken as sent)."""

    address_kind = PHONE
    verbose_name = "Pager"
    supports_webhook = True
    supports_status = True
    supports_files = True
    file_types = ("image/*", "application/pdf", "text/plain")
    max_file_bytes = 100_000
    supports_calls = True
    supports_carried = True
    max_length = 300

    def send(self, message: OutboundMessage) -> Receipt:
        files = [{"name": file.name, "type": file.content_type, "size": len(file.read())} for file in message.files]
        order = {"to": message.to_address, "text": message.text, "id": message.message_id, "files": files}
        return Receipt(status=DeliveryStatus.SENT, carrier_id=self._ask("messages", order)["id"])

    def call(self, call: PhoneCall) -> Receipt:
        order = {"to": call.to_address, "agent": call.employee_key, "id": call.call_id}
        return Receipt(status=DeliveryStatus.SENT, carrier_id=self._ask("calls", order)["id"])

    def fetch(self, media: MediaRef) -> FileIn:
        answer = self._ask("media", {"ref": media.ref})
        return FileIn(name=media.name, content_type=media.content_type, content=answer["content"].encode())

    def carried(self, day: date) -> Iterable[Carried]:
        for entry in self._ask("log", {"day": day.isoformat()})["entries"]:
            inbound = entry["type"] == "message"
            yield Carried(
                carrier_id=entry["id"],
                inbound=inbound,
                occurred_at=datetime.fromisoformat(entry["at"]),
                event=self._event(entry) if inbound else None,
            )

    def _ask(self, path: str, order: dict[str, Any]) -> Any:
        if "URL" not in self.options:
            return {"id": f"pager-{order['id']}"}
        request = urllib.request.Request(f"{self.options['URL']}/{path}", json.dumps(order).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            wait = error.headers.get("Retry-After")
            final = 400 <= error.code < 500 and error.code != 429
            error.close()
            raise ChannelError(
                f"pager answered {error.code}",
                permanent=final,
                uncertain=error.code >= 500,
                retry_after=float(wait) if wait else None,
            ) from error
        except OSError as error:
            # The order may have left before the line broke.
            raise ChannelError(f"pager not reachable: {error}", permanent=False, uncertain=True) from error

    def verify(self, request: HttpRequest) -> None:
        given = request.headers.get("X-Signature", "")
        if not any(hmac.compare_digest(signature(request.body, key), given) for key in self.secrets("SECRET")):
            raise InvalidPayload("signature does not match")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        try:
            return [self._event(event) for event in json.loads(request.body)["events"]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidPayload(str(error)) from error

    def _event(self, event: dict[str, Any]) -> CarrierEvent:
        at = datetime.fromisoformat(event["at"])
        if event["type"] == "message":
            media = tuple(MediaRef(ref=ref, name=ref, content_type="text/plain") for ref in event.get("media", ()))
            return InboundMessage(
                channel=self.alias, event_id=event["id"], carrier_id=event["id"], from_address=event["from"],
                text=event["text"], occurred_at=at, media=media,
            )  # fmt: skip
        if event["type"] == "status":
            return StatusEvent(
                channel=self.alias,
                event_id=event["id"],
                carrier_id=event["message"],
                message_id=event["message"].removeprefix("pager-"),
                status=DeliveryStatus(event["status"]),
                occurred_at=at,
            )
        if event["type"] in list(ContactKind):
            kind = ContactKind(event["type"])
            return ContactEvent(
                channel=self.alias, event_id=event["id"], address=event["from"], kind=kind, occurred_at=at
            )
        if event["type"] == "call":
            return CallEvent(
                channel=self.alias, event_id=event["id"], carrier_id=event["id"], address=event["from"], inbound=True,
                started_at=at, seconds=95, outcome=CallOutcome.ANSWERED, call_id=event.get("call", ""),
            )  # fmt: skip
        return UnknownEvent(
            channel=self.alias, event_id=event["id"], occurred_at=at, payload=json.dumps(event), reason="unknown type"
        )

    def check(self) -> Iterator[CheckMessage]:
        if not self.secrets("SECRET"):
            yield Error(f"Channel {self.alias!r} has no SECRET", id="pager.E001")


def signature(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
