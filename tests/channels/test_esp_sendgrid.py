"""SendGrid's webhooks through django-anymail: events with an ECDSA signature, mails as forms with a password."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.record.models import Event, Message
from tests.channels.cases import Payload
from tests.channels.esp_server import basic, golden, multipart
from tests.channels.esp_webhook import PASSPORT, EspWebhookCases

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()


def signature(body: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> dict[str, str]:
    signed = key.sign(b"1795482000" + body, ec.ECDSA(hashes.SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signed).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": "1795482000",
    }


class TestSendGrid(EspWebhookCases):
    esp = "sendgrid"
    webhook = {"tracking_webhook_verification_key": PUBLIC}

    kind = ""

    @property
    def path(self) -> str:
        return f"{super().path}{self.kind}"

    def call(self, payload: Payload, **given: Any) -> Any:
        """Mails and events are sent to different URLs."""
        self.kind = "?type=inbound" if payload.content_type.startswith("multipart") else ""
        return super().call(payload, **given)

    def signed(self, payload: Payload, secret: str, url: str) -> Mapping[str, str]:
        return {**super().signed(payload, secret, url), **signature(payload.body)}

    def payload(self, *, event_id: str, text: str) -> Payload:
        return self.form({**golden("sendgrid", "inbound"), "text": text, "html": f"<p>{text}</p>"}, event_id)

    def form(self, fields: dict[str, str], event_id: str) -> Payload:
        fields["headers"] = fields["headers"].replace("Message-ID: <", f"Message-ID: <{event_id}.")
        body, kind = multipart(fields, {"attachment1": ("passport.png", "image/png", PASSPORT)})
        return Payload(body=body, content_type=kind)

    def answering(self, reference: str) -> Payload:
        fields = {**golden("sendgrid", "inbound"), "text": "Hello", "html": ""}
        fields["headers"] = fields["headers"].replace("hanako@", "somebody.else@") + f"In-Reply-To: {reference}\n"
        return self.form(fields, "e1")

    def event(self, kind: str, **changes: object) -> dict[str, Any]:
        (found,) = [event for event in golden("sendgrid", "events") if event["event"] == kind]
        return {**found, **changes}

    def events(self, *events: dict[str, Any]) -> Payload:
        return Payload(body=json.dumps(events).encode())

    def unknown(self, *, event_id: str) -> Payload | None:
        return self.events(self.event("account_status_change", sg_event_id=event_id))

    def status(self, *, event_id: str, carrier_id: str, read: bool) -> Payload | None:
        return self.events(self.event("open" if read else "delivered", anymail_id=carrier_id, sg_event_id=event_id))

    def opt_out(self, *, event_id: str) -> Payload | None:
        return self.events(self.event("group_unsubscribe", sg_event_id=event_id))

    def opt_in(self, *, event_id: str) -> Payload | None:
        return self.events(self.event("group_resubscribe", sg_event_id=event_id))

    def test_a_signature_is_valid_for_its_own_body_only(self) -> None:
        """For events. Mails are authenticated by the password, which is not accepted for events."""
        delivered, bounce = self.events(self.event("delivered")), self.events(self.event("bounce"))

        assert self.call(delivered, body=bounce.body).status_code == 403
        forged = {**basic(self.new_secret), **signature(bounce.body, ec.generate_private_key(ec.SECP256R1()))}
        answer = Client().post(self.path, bounce.body, content_type="application/json", headers=forged)
        assert answer.status_code == 403
        assert not Event.objects.exists()

    def test_valid_events_of_a_batch_are_processed(self) -> None:
        message = self.written()
        Delivery.objects.filter(message=message).update(state="sent", carrier_id="a1", due_at=None)
        events = [{**event, "anymail_id": "a1"} for event in golden("sendgrid", "events") if "email" in event]

        self.accepted(self.events(*events[:4], {"no": "event"}, *events[4:5]))

        kinds = list(Event.objects.filter(message=message).order_by("occurred_at").values_list("kind", flat=True))
        for kind in ("delivery.queued", "delivery.delivered", "delivery.read", "delivery.failed"):
            assert kind in kinds
        assert Event.objects.filter(kind="carrier.unknown").count() == 1
        assert Delivery.objects.get(message=message).state == "read"
        assert message.conversation.customer.addresses.get(kind="email").opted_out_by == "bounce"

    def test_an_image_loaded_by_a_machine_is_not_a_read_receipt(self) -> None:
        message = self.written()
        Delivery.objects.filter(message=message).update(state="sent", carrier_id="a1", due_at=None)

        self.accepted(self.events(self.event("open", anymail_id="a1", sg_machine_open=True)))

        assert Delivery.objects.get(message=message).state == "delivered"

    def test_raw_mails_in_another_charset_are_parsed(self) -> None:
        raw = (
            "From: Hanako Sato <hanako@mail.example>\r\nTo: reply@kaede.example\r\nMessage-ID: <r@mail.example>\r\n"
            "Content-Type: text/plain; charset=iso-2022-jp\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        ) + base64.b64encode("夜に会いましょう".encode("iso-2022-jp")).decode()
        envelope = json.dumps({"to": ["reply@kaede.example"], "from": "hanako@mail.example"})
        body, kind = multipart({"email": raw, "envelope": envelope}, {})

        self.accepted(Payload(body=body, content_type=kind))

        assert Message.objects.get().text == "夜に会いましょう"
