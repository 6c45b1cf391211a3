"""Mailgun's webhooks through django-anymail: events and mails, with the signature in the body."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from crm_contact_guard.delivery import attempts
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.record.models import Event, Message
from tests.channels.cases import Payload
from tests.channels.esp_server import KEY, Mailgun, golden, multipart
from tests.channels.esp_webhook import PASSPORT, EspWebhookCases, as_json, mailgun_signature
from tests.trouble import host_refuses

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, kw_only=True)
class Form(Payload):
    """A mail forwarded by a Mailgun route."""

    fields: dict[str, str]
    files: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)


class TestMailgun(EspWebhookCases):
    esp = "mailgun"
    new_secret = "key-new-0123456789abcdef"
    old_secret = "key-old-0123456789abcdef"
    webhook = {"webhook_signing_key": new_secret}

    def options(self) -> dict[str, Any]:
        return {name: value for name, value in super().options().items() if name != "WEBHOOK_SECRET"}

    # --- Mailgun's payloads
    def payload(self, *, event_id: str, text: str) -> Payload:
        fields = {**golden("mailgun", "inbound"), "event_id": event_id}
        fields |= {"body-plain": text, "body-html": f"<p>{text}</p>"}
        return Form(body=b"", fields=fields, files={"attachment-1": ("passport.png", "image/png", PASSPORT)})

    def answering(self, reference: str) -> Payload:
        form = self.payload(event_id="e1", text="Hello")
        assert isinstance(form, Form)
        headers = form.fields["message-headers"].replace("hanako@", "somebody.else@")
        headers = json.dumps([*json.loads(headers), ["In-Reply-To", reference]])
        return replace(form, fields={**form.fields, "message-headers": headers})

    def event(self, name: str, event_id: str, message_id: str = "") -> Payload:
        payload = golden("mailgun", name)
        if message_id:
            payload["event-data"]["user-variables"] = {"contact_guard_message": message_id}
        return as_json({"event_id": event_id, **payload})

    def unknown(self, *, event_id: str) -> Payload | None:
        return self.event("unheard_of", event_id)

    def status(self, *, event_id: str, carrier_id: str, read: bool) -> Payload | None:
        return self.event("opened" if read else "delivered", event_id, self.our_id(carrier_id))

    def opt_out(self, *, event_id: str) -> Payload | None:
        return self.event("complained", event_id)

    def call(self, payload: Payload, *, secret: str | None = "", body: bytes | None = None) -> Any:
        key = secret or self.new_secret
        kind = payload.content_type
        if body is not None:
            pass
        elif isinstance(payload, Form):
            fields = dict(payload.fields)
            signature = mailgun_signature(fields.pop("event_id"), key)
            body, kind = multipart(fields if secret is None else {**fields, **signature}, dict(payload.files))
        else:
            body = payload.body
            if b"event_id" in body and secret is not None:
                event = json.loads(body)
                body = json.dumps({"signature": mailgun_signature(event.pop("event_id"), key), **event}).encode()
        return self.post(body, kind, {})

    def test_both_secrets_are_accepted_during_a_rotation(self, settings: Any) -> None:
        channels = settings.CONTACT_GUARD["CHANNELS"]
        options = {**self.options(), "WEBHOOK": {"webhook_signing_key": [self.new_secret, self.old_secret]}}
        own = {**channels[self.alias], "OPTIONS": options}
        settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {**channels, self.alias: own}}

        for number, secret in enumerate((self.old_secret, self.new_secret)):
            payload = self.payload(event_id=f"e{number}", text=f"Hello {number}")
            assert self.call(payload, secret=secret).status_code == 200
        assert Message.objects.count() == 2

    def test_a_signature_is_valid_for_its_own_body_only(self) -> None:
        """The signature covers a token and a time in the body."""
        form = self.payload(event_id="e1", text="Hello")
        assert isinstance(form, Form)
        fields = {**form.fields, **mailgun_signature("e1", self.new_secret), "token": "another"}
        body, kind = multipart(fields, {})

        assert self.call(Payload(body=b"", content_type=kind), body=body).status_code == 403

    # --- specific to Mailgun
    def test_raw_mails_are_stored_unchanged(self) -> None:
        raw = (
            "From: Hanako Sato <hanako@mail.example>\r\nTo: reply@kaede.example\r\nMessage-ID: <r@mail.example>\r\n"
            "Subject: Hi\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n夜に\r\n"
        )
        fields = {"recipient": "reply@kaede.example", "sender": "hanako@mail.example", "body-mime": raw}
        self.accepted(Form(body=b"", fields={**fields, "event_id": "e1"}))

        message = Message.objects.get()
        assert message.text == "夜に"
        assert message.carrier_id == "<r@mail.example>"

    def test_a_bounce_opts_the_address_out_and_a_full_mailbox_does_not(self) -> None:
        message = self.written()
        address = message.conversation.customer.addresses.get(kind="email")

        self.accepted(self.event("failed_temporary", "t1", str(message.pk)))
        address.refresh_from_db()
        assert address.opted_out_at is None
        assert Delivery.objects.get(message=message).state != "failed"

        self.accepted(self.event("failed_permanent", "p1", str(message.pk)))
        address.refresh_from_db()
        assert address.opted_out_by == "bounce"
        assert Delivery.objects.get(message=message).state == "failed"
        event = Event.objects.filter(message=message, kind="delivery.failed").get()
        assert "does not exist" in str(event.details)

    def test_a_status_received_before_the_send_response_is_not_lost(self) -> None:
        message = self.written()

        self.accepted(self.event("delivered", "s1", str(message.pk)))

        row = Delivery.objects.get(message=message)
        assert (row.state, row.carrier_id) == ("delivered", golden("mailgun", "sent")["id"])

    def test_a_reply_is_assigned_by_the_services_id(self, settings: Any) -> None:
        with Mailgun().running() as server:
            own = settings.CONTACT_GUARD["CHANNELS"][self.alias]
            options = {**own["OPTIONS"], "SEND": {"api_key": KEY, "api_url": f"{server.url}/v3"}}
            channels = {**settings.CONTACT_GUARD["CHANNELS"], self.alias: {**own, "OPTIONS": options}}
            settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": channels}
            message = self.written()
            attempts.deliver(message.pk)

            self.accepted(self.event("delivered", "s1"))
            self.accepted(self.answering(golden("mailgun", "sent")["id"]))

        assert Delivery.objects.get(message=message).state == "delivered"
        assert Message.objects.get(direction="inbound").conversation == message.conversation

    def test_a_mail_that_can_not_be_recorded_now_comes_again(self) -> None:
        payload = self.payload(event_id="e1", text="Hello")

        with pytest.raises(OSError, match="disk full"), host_refuses(OSError("disk full")):
            self.call(payload)

        self.accepted(payload)
        assert Message.objects.count() == 1

    def test_a_form_refused_by_django_is_not_reported_as_forged(self, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

        assert self.call(self.payload(event_id="e1", text="x" * 2000)).status_code == 413

    def test_the_hosts_anymail_setting_is_used(self, settings: Any) -> None:
        settings.ANYMAIL = {"MAILGUN_API_KEY": KEY, "MAILGUN_WEBHOOK_SIGNING_KEY": self.new_secret}
        options = {name: value for name, value in self.options().items() if name not in ("SEND", "WEBHOOK")}
        channels = settings.CONTACT_GUARD["CHANNELS"]
        own = {**channels[self.alias], "OPTIONS": options}
        settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {**channels, self.alias: own}}
        registry.channel.cache_clear()

        self.accepted(self.payload(event_id="e1", text="Hello"))
