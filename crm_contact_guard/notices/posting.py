"""Sends notices to targets: Slack's incoming webhooks, Teams' Workflows, and signed webhooks.

Webhooks are signed as in Standard Webhooks (standardwebhooks.com). Unless a target's ``DETAIL`` is set, nothing but the
topic and a link leaves the company. The address is checked when the connection is made, so a name that suddenly leads
into the company's network is refused; redirects are not followed.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

from crm_contact_guard.notices.targets import GONE, Target
from crm_contact_guard.reading import client

#: Seconds until a target must have answered.
SECONDS: Final = 10.0
#: Statuses after which a retry may help although they blame the request.
_TEMPORARY: Final = (408, 425, 429)


class NotPosted(Exception):
    """A target didn't accept a notice. ``str`` says why, without secrets. ``permanent``: a retry can't help."""

    def __init__(self, why: str, *, permanent: bool) -> None:
        super().__init__(why)
        self.permanent = permanent


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a target is told. ``event``: the type of a webhook; ``at``: when it happened; ``id``: of its subject."""

    event: str
    at: datetime
    id: str
    text: str
    link: str


def post(target: Target, key: str, said: Said) -> None:
    """Send a text and a link. ``key`` identifies the notice, also when it is sent again. Raise NotPosted."""
    body = json.dumps(_BODIES[target.way](said), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "crm-contact-guard"}
    if target.way == "webhook":
        headers |= signature(target.secrets, key, int(time.time()), body)
    refuse = partial(refusal, secure=target.url.startswith("https:"), private=target.allow_private)
    try:
        client.deliver(target.url, body, headers, seconds=SECONDS, refuse=refuse)
    except client.Unanswered as error:
        if error.status == 410:
            raise NotPosted(GONE, permanent=True) from None
        permanent = 400 <= error.status < 500 and error.status not in _TEMPORARY
        # Neither the cause nor its traceback, since they contain the address.
        raise NotPosted(str(error), permanent=permanent) from None


def signature(secrets: Sequence[bytes], key: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers that sign a webhook, with one signature per secret. ``at``: seconds since the Unix epoch."""
    signed = f"{key}.{at}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in secrets]
    return {
        "Webhook-Id": key,
        "Webhook-Timestamp": str(at),
        "Webhook-Signature": " ".join(f"v1,{one}" for one in signatures),
    }


def refusal(address: IPv4Address | IPv6Address, *, secure: bool, private: bool) -> str:
    """Return why a connection to this address isn't allowed; empty if it is. ``private``: the settings allow it."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_global and not address.is_multicast:
        return "" if secure else "leads to a public address, which requires https"
    inside = (address.is_private or address.is_loopback) and not address.is_link_local and not address.is_unspecified
    return "" if private and inside else "leads to an address that is not public"


def _slack(said: Said) -> dict[str, Any]:
    plain = said.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": f"{plain}\n{said.link}", "unfurl_links": False}


def _teams(said: Said) -> dict[str, Any]:
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        # As a text run, so that names are never read as Markdown, which a text block would do.
        "body": [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": said.text}]}],
        "actions": [{"type": "Action.OpenUrl", "title": "→", "url": said.link}],
    }
    content_type = "application/vnd.microsoft.card.adaptive"
    return {
        "type": "message",
        "attachments": [{"contentType": content_type, "contentUrl": None, "content": card}],
    }


def _webhook(said: Said) -> dict[str, Any]:
    data = {"id": said.id, "text": said.text, "link": said.link}
    return {"type": said.event, "timestamp": said.at.isoformat(), "data": data}


_BODIES: Final = {"slack": _slack, "teams": _teams, "webhook": _webhook}
