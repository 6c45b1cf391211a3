"""Amazon SES through django-anymail: sends by boto3, receives by SNS, which sends its password only on a challenge."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.config import Config
from django.test import Client

from crm_contact_guard.delivery import attempts, outbox
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.record.models import Event, Message
from tests.channels.carrier_server import HANG_UP, Answer, Call
from tests.channels.cases import Payload, SendCases
from tests.channels.esp_server import EspServer, basic, golden
from tests.channels.esp_webhook import PASSPORT, EspWebhookCases

pytestmark = pytest.mark.django_db

SENT = "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000"


class AmazonServer(EspServer):
    """SES API v2 (``SendEmail``), and SNS' confirmation of subscriptions."""

    def __init__(self) -> None:
        super().__init__()
        self.confirmed: list[str] = []

    def answer(self, call: Call) -> Answer:
        if not call.header("Authorization").startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"):
            return self.error(
                403, "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        if call.path == "/v2/email/outbound-emails":
            raw = base64.b64decode(call.json["Content"]["Raw"]["Data"])
            self.mails.append({"asked": call.json, "mail": message_from_bytes(raw, policy=policy.default)})
            return Answer.of({"MessageId": SENT})
        self.confirmed += parse_qs(call.body.decode())["Token"]
        arn = b"<SubscriptionArn>arn:aws:sns:ap-northeast-1:123456789012:mail-events:1</SubscriptionArn>"
        body = (
            b"<ConfirmSubscriptionResponse xmlns='http://sns.amazonaws.com/doc/2010-03-31/'><ConfirmSubscriptionResult>"
        )
        body += arn + b"</ConfirmSubscriptionResult></ConfirmSubscriptionResponse>"
        return Answer(200, body, {"Content-Type": "text/xml"})

    def error(self, status: int, name: str, text: str) -> Answer:
        return Answer.of({"message": text}, status, x_amzn_ErrorType=name)

    def refusal(self) -> Answer:
        return self.error(400, "MessageRejected", "Address blacklisted.")

    @property
    def texts(self) -> list[str]:
        return [taken["mail"].get_body(("plain",)).get_content() for taken in self.mails]


def params(server: AmazonServer | None) -> dict[str, Any]:
    return {
        "client_params": {
            "aws_access_key_id": "AKIDEXAMPLE",
            "aws_secret_access_key": "secret-0123456789",
            "region_name": "ap-northeast-1",
            "endpoint_url": server.url if server is not None else None,
            "config": Config(connect_timeout=5, read_timeout=5),
        }
    }


class TestSending(SendCases):
    backend = "crm_contact_guard.channels.email.esp.EspChannel"
    customer_address = "hanako@mail.example"
    says_when_to_come_back = False

    @pytest.fixture
    def carrier(self) -> Iterator[AmazonServer]:
        with AmazonServer().running() as server:
            self.server = server
            yield server

    def options(self) -> dict[str, Any]:
        return {
            "FROM": "Hotel Kaede <guests@kaede.example>",
            "REPLY_TO": "reply@kaede.example",
            "ESP": "amazon_ses",
            "SEND": params(self.server),
            "WEBHOOK_SECRET": "hook:s3cret",
        }

    def fail_temporarily(self) -> None:
        self.server.failures.append(self.server.error(503, "ServiceUnavailable", "Slow down"))

    def fail_permanently(self) -> None:
        self.server.failures.append(self.server.refusal())

    def be_busy(self) -> None:
        error = "Maximum sending rate exceeded."
        self.server.failures.append(self.server.error(429, "TooManyRequestsException", error))

    def arrived(self) -> list[str]:
        return self.server.texts

    def test_the_mail_contains_our_ids_and_replies_find_it(self) -> None:
        message = self.written()
        row, _ = self.deliver(message)

        assert row.carrier_id == SENT
        (taken,) = self.server.mails
        assert json.loads(taken["mail"]["X-Metadata"]) == {"contact_guard_message": str(message.pk)}
        assert taken["mail"]["Reply-To"] == f"reply+{message.conversation.reply_token}@kaede.example"

    @pytest.mark.parametrize("config", [None, {"retries": {"max_attempts": 3}}], ids=["boto's own", "the host's"])
    def test_a_lost_response_is_not_retried_by_boto(self, config: object, settings: Any) -> None:
        message = self.written()
        channels = settings.CONTACT_GUARD["CHANNELS"]
        given = {key: value for key, value in params(self.server)["client_params"].items() if key != "config"}
        given |= {"config": config} if config else {}
        options = {**self.options(), "SEND": {"client_params": given}}
        own = {**channels[self.alias], "OPTIONS": options}
        settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {**channels, self.alias: own}}
        self.server.accepts_before_failing = True
        self.server.failures.append(HANG_UP)

        row, again = self.deliver(message)

        assert len(self.server.mails) == 1
        assert (row.state, row.unfinished) == ("queued", 1)
        assert again is not None

    @pytest.mark.parametrize("name", ["LimitExceededException", "SendingPausedException", "AccountSuspendedException"])
    def test_account_errors_are_temporary(self, name: str) -> None:
        self.server.failures.append(self.server.error(400, name, "Not now"))
        row, again = self.deliver(self.written())

        assert row.state == "queued"
        assert again is not None

    def test_an_unreachable_endpoint_is_not_uncertain(self) -> None:
        from crm_contact_guard.channels.email.esp import EspChannel
        from crm_contact_guard.exceptions import ChannelError

        claim = outbox.claim(self.written().pk, idempotent=False)
        assert claim is not None
        options = self.options()
        options["SEND"]["client_params"]["endpoint_url"] = "http://127.0.0.1:1"
        with pytest.raises(ChannelError) as caught:
            EspChannel(self.alias, options).send(attempts.outbound(claim))

        assert (caught.value.permanent, caught.value.uncertain) == (False, False)


class TestNotifications(EspWebhookCases):
    esp = "amazon_ses"
    send = params(None)

    def sns(self, message: object, event_id: str) -> Payload:
        given = {**golden("amazon_ses", "notification"), "MessageId": event_id, "Message": json.dumps(message)}
        return self.raw(given)

    def raw(self, given: dict[str, Any]) -> Payload:
        headers = {"x-amz-sns-message-type": given["Type"], "x-amz-sns-message-id": given["MessageId"]}
        # SNS declares its JSON as text.
        return Payload(body=json.dumps(given).encode(), content_type="text/plain; charset=utf-8", headers=headers)

    def mail(self, text: str, event_id: str, sender: str = "hanako@mail.example", **headers: str) -> Payload:
        head = {
            "From": f"Hanako Sato <{sender}>",
            "To": "reply@kaede.example",
            "Message-ID": f"<{event_id}@mail.example>",
            "MIME-Version": "1.0",
            "Content-Type": 'multipart/mixed; boundary="x"',
            **headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        file = base64.b64encode(PASSPORT).decode()
        raw = (
            f"{lines}\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--x\r\n"
            'Content-Type: image/png\r\nContent-Disposition: attachment; filename="passport.png"\r\n'
            f"Content-Transfer-Encoding: base64\r\n\r\n{file}\r\n--x--\r\n"
        )
        received = {**golden("amazon_ses", "received"), "content": base64.b64encode(raw.encode()).decode()}
        return self.sns(received, event_id)

    def payload(self, *, event_id: str, text: str) -> Payload:
        return self.mail(text, event_id)

    def answering(self, reference: str) -> Payload:
        return self.mail("Hello", "e1", "somebody.else@mail.example", **{"In-Reply-To": reference})

    def unknown(self, *, event_id: str) -> Payload | None:
        event = {**golden("amazon_ses", "delivery"), "eventType": "Subscription"}
        return self.sns(event, event_id)

    def status(self, *, event_id: str, carrier_id: str, read: bool) -> Payload | None:
        event = golden("amazon_ses", "open" if read else "delivery")
        event["mail"]["messageId"] = carrier_id
        return self.sns(event, event_id)

    def opt_out(self, *, event_id: str) -> Payload | None:
        return self.sns(golden("amazon_ses", "complaint"), event_id)

    @pytest.mark.parametrize("secret", [None, "another-secret-0123456789abc"])
    def test_an_invalid_signature_is_refused_without_requests(
        self, secret: str | None, django_assert_num_queries: Any
    ) -> None:
        payload = self.payload(event_id="e1", text="Hello")
        client = Client(headers={**payload.headers, **(basic(f"hook:{secret}") if secret else {})})
        with django_assert_num_queries(0):
            answer = client.post(self.path, payload.body, content_type=payload.content_type)
        assert answer.status_code == (403 if secret else 401)
        assert secret or answer["WWW-Authenticate"] == 'Basic realm="webhook"'
        assert not Message.objects.exists()

    def test_a_bounce_opts_the_address_out(self) -> None:
        message = self.written()
        Delivery.objects.filter(message=message).update(state="sent", carrier_id=SENT, due_at=None)

        self.accepted(self.sns(golden("amazon_ses", "bounce"), "b1"))

        assert Delivery.objects.get(message=message).state == "failed"
        assert message.conversation.customer.addresses.get(kind="email").opted_out_by == "bounce"

    def test_a_reply_to_the_services_message_id_finds_its_conversation(self) -> None:
        message = self.written()
        Delivery.objects.filter(message=message).update(carrier_id=SENT)

        self.accepted(self.answering(f"<{SENT}@ap-northeast-1.amazonses.com>"))

        assert Message.objects.get(direction="inbound").conversation == message.conversation

    def test_an_authentic_subscription_is_confirmed(self, settings: Any) -> None:
        request = self.raw(golden("amazon_ses", "subscription_confirmation"))
        with AmazonServer().running() as server:
            channels = settings.CONTACT_GUARD["CHANNELS"]
            own = {**channels[self.alias], "OPTIONS": {**self.options(), "SEND": params(server)}}
            settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {**channels, self.alias: own}}

            assert self.call(request, secret="another-secret-0123456789abc").status_code == 403
            assert server.confirmed == []
            self.accepted(request)

            assert server.confirmed == [golden("amazon_ses", "subscription_confirmation")["Token"]]
        assert not Event.objects.exists()
