"""Postmark's and Brevo's webhooks through django-anymail, authenticated by password."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.record.models import Message
from tests.channels.cases import Payload
from tests.channels.esp_server import KEY, basic, golden
from tests.channels.esp_webhook import EspWebhookCases, as_json

pytestmark = pytest.mark.django_db


class TestPostmark(EspWebhookCases):
    esp = "postmark"
    send = {"server_token": KEY}

    def payload(self, *, event_id: str, text: str) -> Payload:
        mail = {**golden("postmark", "inbound"), "MessageID": event_id}
        return as_json({**mail, "TextBody": text, "HtmlBody": f"<p>{text}</p>"})

    def answering(self, reference: str) -> Payload:
        mail = golden("postmark", "inbound")
        mail["FromFull"]["Email"] = "somebody.else@mail.example"
        mail["Headers"].append({"Name": "In-Reply-To", "Value": reference})
        return as_json(mail)

    def unknown(self, *, event_id: str) -> Payload | None:
        return as_json({**golden("postmark", "unheard_of"), "ID": event_id})

    def status(self, *, event_id: str, carrier_id: str, read: bool) -> Payload | None:
        return as_json({**golden("postmark", "open" if read else "delivery"), "MessageID": carrier_id})

    def opt_out(self, *, event_id: str) -> Payload | None:
        return as_json(golden("postmark", "subscription_change"))

    def opt_in(self, *, event_id: str) -> Payload | None:
        change = golden("postmark", "subscription_change")
        return as_json({**change, "SuppressSending": False, "ChangedAt": "2026-11-24T02:00:00Z"})

    def test_a_reply_to_the_services_message_id_finds_its_conversation(self) -> None:
        message = self.written()
        Delivery.objects.filter(message=message).update(carrier_id=golden("postmark", "sent")["MessageID"])

        self.accepted(self.answering(f"<{golden('postmark', 'sent')['MessageID']}@mtasv.net>"))

        assert Message.objects.get(direction="inbound").conversation == message.conversation

    @pytest.mark.parametrize(("kind", "ends"), [("HardBounce", True), ("SoftBounce", False), ("Transient", False)])
    def test_only_hard_bounces_of_postmark_opt_the_address_out(self, kind: str, ends: bool) -> None:
        message = self.written()
        bounce = {**golden("postmark", "bounce"), "Type": kind, "Metadata": {"contact_guard_message": str(message.pk)}}

        self.accepted(as_json(bounce))

        address = message.conversation.customer.addresses.get(kind="email")
        assert (address.opted_out_by == "bounce") is ends

    def test_the_servers_status_code_precedes_the_services(self) -> None:
        message = self.written()
        self.accepted(as_json({**golden("postmark", "bounce"), "Details": "smtp;550 5.7.1 Blocked for spam"}))

        assert message.conversation.customer.addresses.get(kind="email").opted_out_at is None

    def test_a_delivery_report_by_mail_updates_our_message(self) -> None:
        message = self.written()
        raw = (
            "From: MAILER-DAEMON@mx.example\nTo: reply@kaede.example\nMessage-ID: <dsn@mx.example>\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\n\n--x\n\nFailed.\n--x\n'
            "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
            "Final-Recipient: rfc822; hanako@mail.example\nAction: failed\nStatus: 5.1.1\n\n--x\n"
            f"Content-Type: message/rfc822\n\nMessage-ID: <{message.pk}@kaede.example>\nSubject: x\n\nhi\n--x--\n"
        )
        self.accepted(as_json({**golden("postmark", "inbound"), "RawEmail": raw}))

        assert Delivery.objects.get(message=message).state == "failed"
        assert message.conversation.customer.addresses.get(kind="email").opted_out_by == "bounce"

    def test_malformed_files_and_headers_do_not_stop_a_mail(self) -> None:
        mail = golden("postmark", "inbound")
        mail["Headers"].append({"Name": "X-Odd", "Value": "\x00 naïve"})
        mail["Subject"] = "Re: \x00 夜に"
        mail["Attachments"] = [
            {"Name": "../../etc/pa\nss", "Content": base64.b64encode(b"x").decode(), "ContentType": "text/plain"}
        ]
        self.accepted(Payload(body=json.dumps(mail).encode()))

        assert Message.objects.get().text.startswith("Hello")

    def test_half_a_character_does_not_stop_a_mail(self) -> None:
        mail = {**golden("postmark", "inbound"), "Subject": "\ud83d half", "TextBody": "a smile \ud83d"}
        self.accepted(Payload(body=json.dumps(mail).encode()))

        assert (Message.objects.get().text or "").startswith("a smile ?")

    def test_a_broken_mail_is_recorded_as_unread_with_what_arrived(self) -> None:
        body = json.dumps({**golden("postmark", "inbound"), "Attachments": [{"Name": "no content"}]}).encode()
        self.accepted(Payload(body=body))
        self.accepted(Payload(body=body))

        message = Message.objects.get()
        assert "could not be read" in (message.text or "")
        assert message.attachments.get().size == len(body)

    @pytest.mark.parametrize("header", ["(" * 20_000, "a@b.example, " * 1_500, "=?utf-8?b?44GC?= " * 1_200])
    def test_no_header_stops_a_mail(self, header: str) -> None:
        mail = golden("postmark", "inbound")
        mail["Subject"] = header
        mail["Headers"] = [{"Name": "X-Long", "Value": header}, {"Name": "To", "Value": header}]
        self.accepted(Payload(body=json.dumps(mail).encode()))

        assert Message.objects.get().text.startswith("Hello")


class TestBrevo(EspWebhookCases):
    esp = "brevo"

    def payload(self, *, event_id: str, text: str) -> Payload:
        return as_json(self.mail(event_id, text))

    def mail(self, event_id: str, text: str, **headers: str) -> dict[str, Any]:
        given = {
            "From": "Hanako Sato <hanako@mail.example>",
            "To": "reply@kaede.example",
            "Subject": "Re: Your stay",
            "Message-ID": f"<{event_id}@mail.example>",
            "Date": "Tue, 24 Nov 2026 10:00:21 +0900",
            "Delivered-To": "reply@kaede.example",
            **headers,
        }
        return {"items": [{"Uuid": [event_id], "Headers": given, "RawTextBody": text, "Attachments": []}]}

    def answering(self, reference: str) -> Payload:
        head = {"From": "somebody.else@mail.example", "In-Reply-To": reference}
        return as_json(self.mail("e1", "Hello", **head))

    def unknown(self, *, event_id: str) -> Payload | None:
        return as_json({"event": "marketing_campaign_opened", "id": event_id})

    def status(self, *, event_id: str, carrier_id: str, read: bool) -> Payload | None:
        event = golden("brevo", "delivered")
        return as_json({**event, "event": "unique_opened" if read else "delivered", "message-id": carrier_id})

    def opt_out(self, *, event_id: str) -> Payload | None:
        return as_json({**golden("brevo", "delivered"), "event": "unsubscribe"})

    files = ("original.eml",)

    def test_an_image_loaded_by_a_machine_is_not_a_read_receipt(self) -> None:
        message = self.written()
        Delivery.objects.filter(message=message).update(state="sent", carrier_id="<b@brevo>", due_at=None)
        event = {**golden("brevo", "delivered"), "event": "unique_proxy_open", "message-id": "<b@brevo>"}

        self.accepted(as_json(event))

        assert Delivery.objects.get(message=message).state == "delivered"

    def test_a_hard_bounce_opts_the_address_out(self) -> None:
        message = self.written()
        self.accepted(as_json({**golden("brevo", "hard_bounce"), "reason": "mailbox unavailable"}))

        assert message.conversation.customer.addresses.get(kind="email").opted_out_by == "bounce"

    def test_a_file_that_can_not_be_fetched_makes_brevo_retry(self, settings: Any) -> None:
        mail = self.mail("e1", "Hello")
        mail["items"][0]["Attachments"] = [{"Name": "a.pdf", "DownloadToken": "t", "ContentType": "application/pdf"}]
        channels = settings.CONTACT_GUARD["CHANNELS"]
        options = {**self.options(), "SEND": {"api_key": KEY, "api_url": "http://127.0.0.1:9/"}}
        own = {**channels[self.alias], "OPTIONS": options}
        settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {**channels, self.alias: own}}

        with pytest.raises(OSError, match="port=9"):
            self.call(as_json(mail))
        assert not Message.objects.exists()

    def test_the_whole_password_is_compared(self) -> None:
        from django.test import Client

        payload = self.payload(event_id="e1", text="Hello")
        for wrong in ("hook:", "hook", self.new_secret[:-1], self.new_secret + "x"):
            answer = Client().post(self.path, payload.body, content_type="application/json", headers=basic(wrong))
            assert answer.status_code == 403
