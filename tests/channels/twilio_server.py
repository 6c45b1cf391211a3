"""Twilio's REST API according to twilio.com/docs: messages, media and calls; and its webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.test import Client

from tests.channels.carrier_server import Answer, Call, CarrierServer

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
NUMBER = "+815012345678"
CUSTOMER = "+819012345678"
#: Magic numbers of Twilio's test credentials (twilio.com/docs/iam/test-credentials) and their error codes.
MAGIC = {
    "+15005550001": (21211, "The 'To' number +15005550001 is not a valid phone number."),
    "+15005550009": (21614, "'To' number is not a valid mobile number"),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region"),
}


def refusal(status: int, code: int, message: str, **headers: str) -> Answer:
    """An error in Twilio's format."""
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Answer.of({"code": code, "message": message, "more_info": more, "status": status}, status, **headers)


TOO_FAST = refusal(429, 20429, "Too Many Requests", Retry_After="7")
BROKEN = Answer(503, b"<html>Service Unavailable</html>", {"Content-Type": "text/html"})


class TwilioServer(CarrierServer):
    """``messages`` and ``placed``: accepted messages and calls, newest last. ``media``: files on its CDN."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.placed: list[dict[str, list[str]]] = []
        self.calls_log: list[dict[str, Any]] = []
        self.media: dict[str, Answer] = {}
        self.media_lists: dict[str, list[tuple[str, str]]] = {}
        self.redirect_to = ""
        self.page_size = 2

    def fails(self, call: Call) -> bool:
        return "/Accounts/" in call.path

    def answer(self, call: Call) -> Answer:
        path = urlsplit(call.path).path
        if path.startswith("/cdn/"):
            # The CDN's URLs are signed; it must not get the account's credentials.
            assert "Authorization" not in call.headers
            return self.media.get(path.removeprefix("/cdn/"), Answer(404))
        basic = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if call.headers.get("Authorization") != basic:
            return refusal(401, 20003, "Authenticate")
        parts = path.strip("/").split("/")
        if parts[:3] != ["2010-04-01", "Accounts", ACCOUNT]:
            return refusal(404, 20404, f"The requested resource {path} was not found")
        if parts[3:] == ["Messages.json"]:
            return self._create(call) if call.method == "POST" else self._list(call, "messages", self.messages)
        if parts[3:] == ["Calls.json"]:
            return self._call(call) if call.method == "POST" else self._list(call, "calls", self.calls_log)
        if parts[3] == "Messages" and parts[5] == "Media.json":
            root = path.removesuffix(".json")
            held = self.media_lists.get(parts[4], ())
            rows = [{"sid": sid, "content_type": kind, "uri": f"{root}/{sid}.json"} for sid, kind in held]
            return Answer.of({"media_list": rows, "next_page_uri": None, "page": 0})
        if parts[3] == "Messages" and parts[5] == "Media":
            target = self.redirect_to or f"{self.url}/cdn/{parts[6]}"
            return Answer(307, b"", {"Location": target})
        return refusal(404, 20404, f"The requested resource {path} was not found")

    def _create(self, call: Call) -> Answer:
        form = parse_qs(call.body.decode(), keep_blank_values=True)
        to = form.get("To", [""])[0]
        code, words = MAGIC.get(to.removeprefix("whatsapp:"), (0, ""))
        body = form.get("Body", [""])[0]
        if code:
            return refusal(400, code, words)
        if not (form.get("From") or form.get("MessagingServiceSid")):
            return refusal(400, 21603, "A 'From' phone number is required.")
        if not (body or form.get("MediaUrl") or form.get("ContentSid")):
            return refusal(400, 21602, "Message body is required.")
        if len(body) > 1600:
            return refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        if len(form.get("MediaUrl", [])) > 10:
            return refusal(400, 21623, "Number of media files exceeds allowed limit")
        number = len(self.messages) + 1
        message = {
            "account_sid": ACCOUNT,
            "api_version": "2010-04-01",
            "body": body,
            "date_created": "Tue, 24 Nov 2026 01:00:00 +0000",
            "date_sent": None,
            "date_updated": "Tue, 24 Nov 2026 01:00:00 +0000",
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form.get("From", [None])[0],
            "messaging_service_sid": form.get("MessagingServiceSid", [None])[0],
            "num_media": str(len(form.get("MediaUrl", []))),
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "sid": f"SM{number:032x}",
            "status": "queued",
            "subresource_uris": {},
            "to": to,
            "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/SM{number:032x}.json",
        }
        self.messages.append({**message, "form": form})
        return Answer.of(message, 201)

    def _call(self, call: Call) -> Answer:
        form = parse_qs(call.body.decode(), keep_blank_values=True)
        if form["To"][0] in MAGIC:
            return refusal(400, 21211, f"The phone number you are attempting to call, {form['To'][0]}, is not valid.")
        self.placed.append(form)
        answer = {"sid": f"CA{len(self.placed):032x}", "status": "queued", "to": form["To"][0], "from": form["From"][0]}
        return Answer.of(answer, 201)

    def _list(self, call: Call, name: str, rows: list[dict[str, Any]]) -> Answer:
        query = parse_qs(urlsplit(call.path).query)
        page, size = int(query.get("Page", ["0"])[0]), self.page_size
        shown = [{key: value for key, value in row.items() if key != "form"} for row in rows]
        next_page = None
        if (page + 1) * size < len(shown):
            again = {key: values[0] for key, values in query.items()} | {"Page": str(page + 1)}
            next_page = f"{urlsplit(call.path).path}?{urlencode(again)}"
        return Answer.of({name: shown[page * size : (page + 1) * size], "next_page_uri": next_page, "page": page})


def signature(url: str, values: Mapping[str, str], token: str = TOKEN) -> str:
    """``X-Twilio-Signature`` according to twilio.com/docs/usage/security, implemented independently of the library."""
    signed = url + "".join(f"{name}{values[name]}" for name in sorted(values))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def call_us(
    values: Mapping[str, str],
    *,
    alias: str = "sms",
    query: str = "",
    token: str = TOKEN,
    public: str = "https://crm.kaede.example",
    **headers: str,
) -> Any:
    """Call the webhook like Twilio through a proxy: plain HTTP, another host name."""
    path = f"/guard/webhooks/{alias}/" + (f"?{query}" if query else "")
    signed = {"X-Twilio-Signature": signature(public + path, values, token), **headers}
    return Client(enforce_csrf_checks=True).post(
        path, urlencode(values), content_type="application/x-www-form-urlencoded", headers=signed
    )


def call_us_with_json(body: bytes, *, alias: str = "sms", token: str = TOKEN, digest: str = "") -> Any:
    """A JSON request, with the body's SHA-256 in the signed URL."""
    query = f"bodySHA256={digest or hashlib.sha256(body).hexdigest()}"
    path = f"/guard/webhooks/{alias}/?{query}"
    signed = {"X-Twilio-Signature": signature("https://crm.kaede.example" + path, {}, token)}
    return Client(enforce_csrf_checks=True).post(path, body, content_type="application/json", headers=signed)


def payload(text: str) -> dict[str, str]:
    """A sample payload (``name=value`` lines), form-encoded."""
    return {name: values[0] for name, values in parse_qs(text.strip(), keep_blank_values=True).items()}
