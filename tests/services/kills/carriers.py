"""The carriers, each with its book: what it has taken from us, and how it calls us.

How they speak is what the channels' own tests say (``tests/channels``), over a socket. Ids are the carrier's own and
never come twice, and every word on a message brings our id of it back where the carrier's documentation says so.
"""

from __future__ import annotations

import copy
import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.channels import (
    carrier_server,
    esp_server,
    line_server,
    line_works_server,
    meta_server,
    pager_server,
    test_contract,
    test_esp_amazon,
    test_esp_mailgun,
    test_esp_postmark,
    test_esp_sendgrid,
    test_line,
    test_line_works,
    test_twilio_cases,
    test_whatsapp_cases,
    twilio_server,
)
from tests.channels.cases import Payload, WebhookCases
from tests.channels.line_setup import line_options, works_options

METADATA = "contact_guard_message"
DOUBT = "(You may have this message already.)"
PATIENCE = 60
PUBLIC_URL = "https://kaede.example"


@dataclass(frozen=True)
class Reply:
    status_code: int
    body: bytes = b""
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Taken:
    """A message that the carrier has taken."""

    text: str
    carrier_id: str
    message_id: str = ""
    marked: bool = False


class Web:
    """The installation's address. ``sent`` is told when a request is out and its answer is not read yet."""

    def __init__(self, port: int, sent: Callable[[], None]) -> None:
        self.port = port
        self.sent = sent

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """Raises OSError or HTTPException when the server dies, or is not there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers or {}))
            self.sent()
            answer = connection.getresponse()
            return Reply(answer.status, answer.read(), dict(answer.getheaders()))
        finally:
            connection.close()


class Carrier(WebhookCases):
    """Beside one of the channel's own ``WebhookCases``: what this carrier does. One instance a channel."""

    server_class: ClassVar[type[carrier_server.CarrierServer]]
    #: It calls again until it is answered well.
    repeats: ClassVar[bool] = True
    web: Web
    server: Any

    def post(self, body: bytes, content_type: str, headers: Mapping[str, str]) -> Any:
        return self.web.ask("POST", self.path, body, {"Content-Type": content_type, **headers})

    def taken(self) -> list[Taken]:
        raise NotImplementedError

    def speak(self, payload: Payload) -> bool:
        """One call; whether we answered well."""
        answer = copy.copy(self).call(payload)
        return bool(200 <= answer.status_code < 300)

    def word(self, event_id: str, taken: Taken, *, read: bool) -> Payload | None:
        """Delivered or read; None when the carrier does not tell."""
        return self.status(event_id=event_id, carrier_id=taken.carrier_id, read=read)


class Line(Carrier, test_line.TestWebhook):
    server_class = line_server.LineServer

    def options(self) -> dict[str, Any]:
        return line_options(self.server.url, CHANNEL_SECRET=self.new_secret)

    def taken(self) -> list[Taken]:
        return [Taken(one["text"], "") for one in self.server.delivered]


class LineWorks(Carrier, test_line_works.TestWebhook):
    server_class = line_works_server.LineWorksServer
    repeats = False

    def options(self) -> dict[str, Any]:
        return works_options(self.server.url, BOT_SECRET=self.new_secret)

    def taken(self) -> list[Taken]:
        texts = [one["text"] for one in self.server.delivered]
        return [Taken(text, "", marked=before == DOUBT) for before, text in zip(["", *texts], texts, strict=False)]


class _Twilio(Carrier, test_twilio_cases.TwilioCases):
    server_class = twilio_server.TwilioServer
    repeats = False
    query = ""

    @property
    def path(self) -> str:
        return super().path + self.query

    def options(self) -> dict[str, Any]:
        return {**super().options(), "AUTH_TOKEN": twilio_server.TOKEN, "API_URL": self.server.url}

    new_secret = twilio_server.TOKEN

    def signed(self, payload: Payload, secret: str, url: str) -> Mapping[str, str]:
        return super().signed(payload, secret, url.replace("http://testserver", PUBLIC_URL))

    def taken(self) -> list[Taken]:
        sent = [one for one in self.server.messages if "form" in one]
        return [Taken(one["body"], one["sid"], _own(one["form"]["StatusCallback"][0])) for one in sent]

    def list_inbound(self, event_id: str, text: str) -> None:
        """What a customer wrote stands in Twilio's log, whether its call reached us or not."""
        at = "Tue, 24 Nov 2026 01:00:00 +0000"
        sides = {"from": self.prefix + twilio_server.CUSTOMER, "to": self.prefix + twilio_server.NUMBER}
        row = {"sid": event_id, "direction": "inbound", "body": text, "num_media": "0", "date_sent": at, **sides}
        self.server.messages.append({"date_created": at, "messaging_service_sid": None, "status": "received", **row})

    def word(self, event_id: str, taken: Taken, *, read: bool) -> Payload | None:
        payload = super().word(event_id, taken, read=read)
        assert payload is not None
        return Payload(
            body=payload.body, content_type=payload.content_type, headers={"X-Query": f"?message={taken.message_id}"}
        )

    def call(self, payload: Payload, **given: Any) -> Any:
        self.query = payload.headers.get("X-Query", "")
        return super().call(payload, **given)


class Sms(_Twilio):
    backend = "crm_contact_guard.channels.twilio.SmsChannel"


class TwilioWhatsApp(_Twilio):
    backend = "crm_contact_guard.channels.twilio.WhatsAppChannel"
    prefix = "whatsapp:"


def _own(address: str) -> str:
    return parse_qs(urlsplit(address).query)["message"][0]


class Phone(_Twilio):
    """Calls: those that employees asked for stand in ``server.placed``; customers' are told of at their end."""

    backend = "crm_contact_guard.channels.twilio.VoiceChannel"

    def options(self) -> dict[str, Any]:
        return {**super().options(), "EMPLOYEE_PHONES": "tests.services.kills.desk.telephone"}

    def payload(self, *, event_id: str, text: str) -> Payload:
        sides = {"From": twilio_server.CUSTOMER, "To": twilio_server.NUMBER, "Direction": "inbound"}
        return test_twilio_cases.form(**sides, CallSid=event_id, CallStatus="completed", CallDuration="63")

    def taken(self) -> list[Taken]:
        return []

    def placed(self) -> list[str]:
        return [parse_qs(urlsplit(form["StatusCallback"][0]).query)["call"][0] for form in self.server.placed]


class Meta(Carrier, test_whatsapp_cases.TestWebhook):
    server_class = meta_server.MetaServer

    def options(self) -> dict[str, Any]:
        return {**super().options(), "API_URL": self.server.url}

    def taken(self) -> list[Taken]:
        return [
            Taken(one["text"]["body"], f"wamid.{number:016d}", one["biz_opaque_callback_data"])
            for number, one in enumerate(self.server.messages, start=1)
        ]

    def word(self, event_id: str, taken: Taken, *, read: bool) -> Payload | None:
        payload = super().word(event_id, taken, read=read)
        assert payload is not None
        told = json.loads(payload.body)
        told["entry"][0]["changes"][0]["value"]["statuses"][0]["biz_opaque_callback_data"] = taken.message_id
        return Payload(body=json.dumps(told).encode())


class Pager(Carrier, test_contract.TestWebhook):
    """A third party's channel."""

    server_class = pager_server.PagerServer

    def options(self) -> dict[str, Any]:
        return {"SECRET": self.new_secret, "URL": self.server.url}

    def taken(self) -> list[Taken]:
        return [Taken(one["text"], key) for key, one in self.server.messages.items()]


# --- mail services


class _Postmark(esp_server.Postmark):
    def answer(self, call: carrier_server.Call) -> carrier_server.Answer:
        return _numbered(super().answer(call), self.mails, "MessageID")


class _Brevo(esp_server.Brevo):
    def answer(self, call: carrier_server.Call) -> carrier_server.Answer:
        return _numbered(super().answer(call), self.mails, "messageId")


class _SendGrid(esp_server.SendGrid):
    def answer(self, call: carrier_server.Call) -> carrier_server.Answer:
        answer = super().answer(call)
        return carrier_server.Answer(answer.status, answer.body, {"X-Message-Id": _number(self.mails)})


class _Mailgun(esp_server.Mailgun):
    def answer(self, call: carrier_server.Call) -> carrier_server.Answer:
        return _numbered(super().answer(call), self.mails, "id", "<{}>")


class _Amazon(test_esp_amazon.AmazonServer):
    def answer(self, call: carrier_server.Call) -> carrier_server.Answer:
        return _numbered(super().answer(call), self.mails, "MessageId")


def _number(mails: list[Any]) -> str:
    return f"id-{len(mails):06d}@service.example"


def _numbered(answer: carrier_server.Answer, mails: list[Any], name: str, form: str = "{}") -> carrier_server.Answer:
    if answer.status >= 300:
        return answer
    return carrier_server.Answer.of({**json.loads(answer.body), name: form.format(_number(mails))}, answer.status)


class _Mail(Carrier):
    """``texts``, ids and marks of a service's mails, in the order in which they were taken."""

    server_class: ClassVar[type[esp_server.EspServer]]
    path_of_api = ""
    key_name = "api_key"

    def options(self) -> dict[str, Any]:
        sending = {self.key_name: esp_server.KEY, "api_url": self.server.url + self.path_of_api, "timeout": PATIENCE}
        return {**super().options(), "SEND": sending}

    def told(self, mail: Any) -> tuple[str, bool]:
        """Our id that goes with a mail, and whether it is marked as a possible double."""
        raise NotImplementedError

    def taken(self) -> list[Taken]:
        found = []
        for number, (text, mail) in enumerate(zip(self.server.texts, self.server.mails, strict=False), start=1):
            own, marked = self.told(mail)
            found.append(Taken(text, _number([None] * number), own, marked))
        return found

    def word(self, event_id: str, taken: Taken, *, read: bool) -> Payload | None:
        payload = super().word(event_id, taken, read=read)
        assert payload is not None
        told = json.loads(payload.body)
        self.give_back(told[0] if isinstance(told, list) else told, taken.message_id)
        return Payload(body=json.dumps(told).encode(), content_type=payload.content_type, headers=payload.headers)

    def give_back(self, told: dict[str, Any], own: str) -> None:
        """Put our id into an event, where the service does."""
        raise NotImplementedError


class Postmark(_Mail, test_esp_postmark.TestPostmark):
    server_class = _Postmark
    path_of_api = "/"
    key_name = "server_token"

    def told(self, mail: Any) -> tuple[str, bool]:
        return mail["Metadata"][METADATA], any("Possible-Duplicate" in head["Name"] for head in mail["Headers"])

    def give_back(self, told: dict[str, Any], own: str) -> None:
        told["Metadata"] = {METADATA: own}


class Brevo(_Mail, test_esp_postmark.TestBrevo):
    server_class = _Brevo
    path_of_api = "/v3/"

    def told(self, mail: Any) -> tuple[str, bool]:
        return json.loads(mail["headers"]["X-Mailin-custom"])[METADATA], _is_marked(mail["headers"])

    def give_back(self, told: dict[str, Any], own: str) -> None:
        told["X-Mailin-custom"] = json.dumps({METADATA: own})


class SendGrid(_Mail, test_esp_sendgrid.TestSendGrid):
    server_class = _SendGrid
    path_of_api = "/v3/"

    def told(self, mail: Any) -> tuple[str, bool]:
        return mail["custom_args"][METADATA], _is_marked(mail["headers"])

    def give_back(self, told: dict[str, Any], own: str) -> None:
        told[METADATA] = own


class Mailgun(_Mail, test_esp_mailgun.TestMailgun):
    server_class = _Mailgun
    path_of_api = "/v3/"

    def told(self, mail: Any) -> tuple[str, bool]:
        return mail[f"v:{METADATA}"][0], "h:X-Contact-Guard-Possible-Duplicate" in mail

    def our_id(self, carrier_id: str) -> str:
        return carrier_id  # ``give_back`` puts both where they belong

    def give_back(self, told: dict[str, Any], own: str) -> None:
        event = told["event-data"]
        event["message"]["headers"]["message-id"] = event["user-variables"][METADATA]
        event["user-variables"] = {METADATA: own}


class Amazon(_Mail, test_esp_amazon.TestNotifications):
    server_class = _Amazon

    def options(self) -> dict[str, Any]:
        sending = test_esp_amazon.params(None)["client_params"] | {"endpoint_url": self.server.url}
        del sending["config"]
        return {**super().options(), "SEND": {"client_params": sending}}

    def told(self, mail: Any) -> tuple[str, bool]:
        return json.loads(mail["mail"]["X-Metadata"])[METADATA], _is_marked(mail["mail"])

    def give_back(self, told: dict[str, Any], own: str) -> None:
        event = json.loads(told["Message"])
        event["mail"]["headers"].append({"name": "X-Metadata", "value": json.dumps({METADATA: own})})
        told["Message"] = json.dumps(event)


def _is_marked(headers: Any) -> bool:
    return "X-Contact-Guard-Possible-Duplicate" in headers


#: By alias. The telephone is apart: it carries calls.
CARRIERS: dict[str, type[Carrier]] = {
    "line": Line,
    "works": LineWorks,
    "sms": Sms,
    "twilio_whatsapp": TwilioWhatsApp,
    "whatsapp": Meta,
    "pager": Pager,
    "postmark": Postmark,
    "brevo": Brevo,
    "sendgrid": SendGrid,
    "mailgun": Mailgun,
    "amazon": Amazon,
    "phone": Phone,
}
__all__ = ["CARRIERS", "Carrier", "Phone", "Reply", "Taken", "Web"]
