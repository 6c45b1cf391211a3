"""Check the channels: whether webhooks can be reached, and whether a test message can be sent."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import OutboundMessage
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError, ConfigurationError
from crm_contact_guard.installation.report import Item, error, fine, warning

TOPIC = "channels"
#: Timeout for requests to our own site, in seconds.
_TIMEOUT = 10.0
_TEXT = "This is a test of {company}'s {channel}. It needs no answer. / {company}のテスト送信です。返信は不要です。"


def carrier_items(tests: Iterable[tuple[str, str]] = ()) -> Iterator[Item]:
    """Check each channel, and send a test message to each of ``tests``, which are pairs of channel alias and address.

    Test messages aren't recorded.
    """
    for alias in registry.aliases():
        try:
            channel = registry.channel(alias)
        except ConfigurationError:
            continue  # reported by the system checks
        yield fine(TOPIC, f"{alias}: {channel.verbose_name}")
        if channel.supports_webhook:
            yield from _webhook(alias)
    for alias, address in tests:
        yield _test(alias, address)


def _webhook(alias: str) -> Iterator[Item]:
    base = settings.PUBLIC_URL.rstrip("/")
    try:
        address = base + reverse("crm_contact_guard:webhook", args=[alias])
    except NoReverseMatch:
        return  # reported by pages_items
    if not urlsplit(base).hostname:
        yield error(
            TOPIC, f"{alias}: the carrier can't call the webhook without PUBLIC_URL", 'set CONTACT_GUARD["PUBLIC_URL"]'
        )
        return
    request = urllib.request.Request(address, b"{}", {"Content-Type": "application/json"})  # noqa: S310 - our own site
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            code, kind = answer.status, answer.headers.get_content_type()
    except urllib.error.HTTPError as answer:
        code, kind = answer.code, answer.headers.get_content_type()
    except (urllib.error.URLError, OSError) as problem:
        reason = getattr(problem, "reason", problem)
        yield warning(
            TOPIC,
            f"{alias}: {address} does not answer ({reason})",
            "start the site, and make it reachable",
        )
        return
    if code in (400, 403) and kind == "text/plain":
        yield fine(TOPIC, f"{alias}: give the carrier {address}")
    else:
        yield error(
            TOPIC,
            f"{alias}: {address} returns {code} {kind}, which is not our response",
            "check the proxy, and middleware that requires a login",
        )


def _test(alias: str, address: str) -> Item:
    try:
        channel = registry.channel(alias)
    except ConfigurationError as problem:
        return error(TOPIC, str(problem), "docs/channels.md")
    if not channel.needs_address:
        return warning(
            TOPIC, f"{alias}: this channel sends nothing, so there is nothing to test", "open a chat link instead"
        )
    try:
        receipt = channel.send(
            OutboundMessage(
                message_id=str(uuid4()),
                to_name=address,
                to_address=address,
                from_name=settings.company_name,
                text=_TEXT.format(company=settings.company_name, channel=channel.verbose_name),
                subject=f"{settings.company_name}: test" if channel.supports_subject else "",
                occurred_at=timezone.now(),
            )
        )
    except ChannelError as problem:
        return error(TOPIC, f"{alias}: the test to {address} failed: {problem}", "correct the channel's OPTIONS")
    return fine(TOPIC, f"{alias}: the test to {address} is {receipt.status.value}; check that it arrives")
