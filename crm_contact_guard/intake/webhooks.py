"""The view for carriers' webhooks: limit the size, verify, parse, record, respond."""

from __future__ import annotations

import logging

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from crm_contact_guard import signals
from crm_contact_guard.channels import registry
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError, InvalidPayload
from crm_contact_guard.intake.events import take

logger = logging.getLogger(__name__)


@csrf_exempt
@require_http_methods(["GET", "POST", "HEAD"])
def webhook(request: HttpRequest, alias: str) -> HttpResponse:
    """Process a carrier's request.

    Responds 404 (unknown channel), 413 (too large), 403 (invalid signature), 400 (can't be parsed), otherwise as the
    channel requires. The carrier's signature authenticates the request, so it is exempt from CSRF and login.
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
    try:
        events = channel.parse(request)
    except InvalidPayload as error:
        logger.warning("Webhook %s unreadable: %s", alias, error)
        _signal_refusal(alias, "unreadable")
        return HttpResponse("unreadable", status=400, content_type="text/plain")
    for event in events:
        take(event)
    return channel.answer(request)


def _signal_refusal(alias: str, reason: str) -> None:
    signals.webhook_refused.send_robust(sender=None, channel=alias, reason=reason)


# Exempts the view from LoginRequiredMiddleware (Django 5.1) and similar ones.
webhook.login_required = False  # type: ignore[attr-defined]
