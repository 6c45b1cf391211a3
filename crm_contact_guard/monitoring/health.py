"""Monitoring endpoints: liveness, readiness, status and Prometheus metrics.

Liveness and readiness are public, since load balancers have no token, and return no details. Status and metrics require
``MONITORING_TOKEN`` or a signed-in compliance officer or auditor; they contain no message text, name or address.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.mirror import employee_for
from crm_contact_guard.hosting import logs
from crm_contact_guard.monitoring.exposition import CONTENT_TYPE, PrometheusMissing, exposition
from crm_contact_guard.monitoring.measuring import Measure, is_ready, measures
from crm_contact_guard.permissions import sees_all

logger = logs.logger(__name__)
View = Callable[[HttpRequest], HttpResponse]


def _endpoint(view: View) -> View:
    """Allow only GET and HEAD, never cache, and exempt from a host's LoginRequiredMiddleware."""
    endpoint: View = never_cache(require_safe(view))
    endpoint.login_required = False  # type: ignore[attr-defined]
    return endpoint


def _restricted(view: View) -> View:
    """Require the token or a permitted role: 401 without authentication, 403 for other roles."""

    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        if _has_token(request):
            return view(request)
        employee = employee_for(getattr(request, "user", None))
        if employee is None:
            response = HttpResponse("token required\n", status=401, content_type="text/plain")
            response["WWW-Authenticate"] = 'Bearer realm="contact guard monitoring"'
            return response
        if not sees_all(employee):
            return HttpResponse("not permitted\n", status=403, content_type="text/plain")
        return view(request)

    return inner


def _has_token(request: HttpRequest) -> bool:
    scheme, _space, credentials = request.headers.get("Authorization", "").partition(" ")
    configured = settings.MONITORING_TOKEN
    tokens = [configured] if isinstance(configured, str) else configured
    # Every token is compared, so that the response time doesn't reveal which one matches.
    matches = [bool(token) and constant_time_compare(credentials.strip(), str(token)) for token in tokens]
    return scheme.lower() == "bearer" and any(matches)


@_endpoint
def live(request: HttpRequest) -> HttpResponse:
    """Return 200 if the process responds. The database isn't checked, since a restart wouldn't help if it is down."""
    return HttpResponse("ok\n", content_type="text/plain")


@_endpoint
def ready(request: HttpRequest) -> HttpResponse:
    """Return 200 if messages can be recorded, otherwise 503. The reason is logged, but not returned."""
    try:
        ok = is_ready()
    except Error as problem:
        logger.error("Not ready: the database does not respond: %s", type(problem).__name__)
        ok = False
    return HttpResponse("ok\n" if ok else "not ready\n", status=200 if ok else 503, content_type="text/plain")


@_endpoint
@_restricted
def status(request: HttpRequest) -> HttpResponse:
    """Return all measures with their limits as JSON. The status code is 503 if any measure exceeds its limit."""
    try:
        items = [measure_json(measure) for measure in measures()]
    except Error as problem:
        logger.error("No status: the database does not respond: %s", type(problem).__name__)
        return JsonResponse({"status": "error", "measures": []}, status=503)
    ok = all(item["ok"] for item in items)
    return JsonResponse({"status": "ok" if ok else "error", "measures": items}, status=200 if ok else 503)


@_endpoint
@_restricted
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all measures in Prometheus' format, or 501 if the extra ``prometheus`` isn't installed."""
    try:
        return HttpResponse(exposition(measures()), content_type=CONTENT_TYPE)
    except PrometheusMissing as missing:
        return HttpResponse(f"{missing}\n", status=501, content_type="text/plain")
    except Error as problem:
        logger.error("No metrics: the database does not respond: %s", type(problem).__name__)
        return HttpResponse("the database does not respond\n", status=503, content_type="text/plain")


def measure_json(measure: Measure) -> dict[str, Any]:
    """Return a measure as a JSON object."""
    item: dict[str, Any] = {"name": measure.name, "says": measure.says, "value": measure.value, "ok": measure.is_fine}
    if measure.labels:
        item["labels"] = measure.labels
    if measure.limit is not None:
        item["limit"] = measure.limit
    if not measure.is_fine:
        item["fix"] = measure.fix
    return item
