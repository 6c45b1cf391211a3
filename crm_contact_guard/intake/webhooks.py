"""The view for carriers' webhooks: limit the size, verify, parse, record, respond.

Everything that a verified request contains is recorded. Anything that can't be parsed is recorded as an unknown event
with its payload, since the carrier would only send it again if it were refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from crm_contact_guard import signals
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import CarrierEvent, Channel, UnknownEvent
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError, ConfigurationError, InvalidPayload
from crm_contact_guard.hosting import bounded_json, database, logs
from crm_contact_guard.intake.events import take

logger = logs.logger(__name__)

#: Errors that the request didn't cause. The carrier should repeat it.
_LATER = (InterfaceError, OperationalError, OSError, ChannelError, ConfigurationError, RequestDataTooBig)


# Each event has its own transaction. One that fails must not undo those before it. In one long transaction, MariaDB and
# MySQL would not show the row of a duplicate.
@database.outside_transactions
@csrf_exempt
@require_http_methods(["GET", "POST", "HEAD"])
def webhook(request: HttpRequest, alias: str) -> HttpResponse:
    """Process a carrier's request.

    Respond with 404 (unknown channel), 413 (too large), 403 (invalid signature), or else as the channel requires. The
    carrier's signature authenticates the request, so the view is exempt from CSRF protection and login.
    """
    try:
        channel = registry.channel(alias)
    except ConfigurationError as error:
        raise Http404 from error
    if not channel.supports_webhook:
        raise Http404
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length) > settings.MAX_INBOUND_BYTES:
        _signal_refusal(alias, "too_large")
        return HttpResponse("payload too large", status=413, content_type="text/plain")
    try:
        channel.verify(request)
    except InvalidPayload as error:
        logger.warning("Webhook %s refused: %s", alias, error)
        _signal_refusal(alias, "signature")
        return channel.refuse(request)
    except RequestDataTooBig:
        logger.error("Webhook %s: larger than DATA_UPLOAD_MAX_MEMORY_SIZE; raise it to MAX_INBOUND_BYTES", alias)
        _signal_refusal(alias, "too_large")
        return HttpResponse("payload too large", status=413, content_type="text/plain")
    for event in _events(channel, request):
        _take(channel, request, event)
    return channel.answer(request)


def _events(channel: Channel, request: HttpRequest) -> Sequence[CarrierEvent]:
    try:
        body = _body(request)
        if body[:100].lstrip()[:1] in (b"{", b"["):
            bounded_json.check(body)
        return channel.parse(request)
    except _LATER:
        raise
    except Exception as error:  # noqa: BLE001 - libraries and third-party channels raise anything
        return [_unreadable(channel, request, error)]


def _take(channel: Channel, request: HttpRequest, event: CarrierEvent) -> None:
    """Record one event. If it can't be recorded, the events after it must still be recorded."""
    try:
        take(event)
    except _LATER:
        raise
    except Exception as error:
        logger.exception("Webhook %s: an event can't be recorded", channel.alias)
        take(_unreadable(channel, request, error))


def _unreadable(channel: Channel, request: HttpRequest, error: Exception) -> UnknownEvent:
    body = _body(request)
    reason = str(error) if isinstance(error, (InvalidPayload, bounded_json.UnboundedJson)) else type(error).__name__
    logger.warning("Webhook %s unreadable: %s", channel.alias, reason)
    _signal_refusal(channel.alias, "unreadable")
    return UnknownEvent(
        channel=channel.alias,
        event_id=f"unreadable:{sha256(body).hexdigest()}",
        occurred_at=timezone.now(),
        payload=body.decode("utf-8", "replace"),
        reason=f"can't be read: {reason}"[:500],
    )


def _body(request: HttpRequest) -> bytes:
    try:
        return request.body
    except RawPostDataException:
        # The channel has read the form as a stream.
        return request.POST.urlencode().encode()


def _signal_refusal(alias: str, reason: str) -> None:
    signals.webhook_refused.send_robust(sender=None, channel=alias, reason=reason)


# Exempts the view from LoginRequiredMiddleware (Django 5.1) and similar middleware.
webhook.login_required = False  # type: ignore[attr-defined]
