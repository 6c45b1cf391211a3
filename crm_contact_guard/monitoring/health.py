"""Doors for machines that watch: liveness, readiness, status and Prometheus.

Liveness and readiness say one word to anybody, since load balancers have no token. Status and metrics are for who has
``MONITORING_TOKEN``, and for compliance officers and auditors who are signed in; no text, name or address is in them.
"""

from __future__ import annotations

import logging
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
from crm_contact_guard.monitoring.exposition import CONTENT_TYPE, PrometheusMissing, exposition
from crm_contact_guard.monitoring.measuring import Measure, is_ready, measures
from crm_contact_guard.permissions import sees_all

logger = logging.getLogger(__name__)
View = Callable[[HttpRequest], HttpResponse]


def _door(view: View) -> View:
    """For GET and HEAD, never cached, open where a host's middleware wants a login everywhere."""
    door: View = never_cache(require_safe(view))
    door.login_required = False  # type: ignore[attr-defined]
    return door


def _watched(view: View) -> View:
    """Only for who may watch: 401 to strangers, 403 to people of other roles."""

    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        if _has_token(request):
            return view(request)
        employee = employee_for(getattr(request, "user", None))
        if employee is None:
            answer = HttpResponse("a token is needed\n", status=401, content_type="text/plain")
            answer["WWW-Authenticate"] = 'Bearer realm="contact guard monitoring"'
            return answer
        if not sees_all(employee):
            return HttpResponse("not permitted\n", status=403, content_type="text/plain")
        return view(request)

    return inner


def _has_token(request: HttpRequest) -> bool:
    scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
    known = settings.MONITORING_TOKEN
    tokens = [known] if isinstance(known, str) else known
    # All are compared, so that the time taken tells nothing.
    fits = [bool(token) and constant_time_compare(given.strip(), str(token)) for token in tokens]
    return scheme.lower() == "bearer" and any(fits)


@_door
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing else: a database that is down is no reason to restart us."""
    return HttpResponse("ok\n", content_type="text/plain")


@_door
def ready(request: HttpRequest) -> HttpResponse:
    """Messages can be recorded: 200, else 503. The reason stands in the log, not in the answer."""
    try:
        fine = is_ready()
    except Error as problem:
        logger.error("Not ready: the database does not answer: %s", type(problem).__name__)
        fine = False
    return HttpResponse("ok\n" if fine else "not ready\n", status=200 if fine else 503, content_type="text/plain")


@_door
@_watched
def status(request: HttpRequest) -> HttpResponse:
    """Every figure with its limit, as JSON. 503 while one is over it."""
    try:
        found = [told(measure) for measure in measures()]
    except Error as problem:
        logger.error("No status: the database does not answer: %s", type(problem).__name__)
        return JsonResponse({"status": "error", "measures": []}, status=503)
    fine = all(each["ok"] for each in found)
    return JsonResponse({"status": "ok" if fine else "error", "measures": found}, status=200 if fine else 503)


@_door
@_watched
def metrics(request: HttpRequest) -> HttpResponse:
    """The same for Prometheus. 501 without the extra."""
    try:
        return HttpResponse(exposition(measures()), content_type=CONTENT_TYPE)
    except PrometheusMissing as missing:
        return HttpResponse(f"{missing}\n", status=501, content_type="text/plain")
    except Error as problem:
        logger.error("No metrics: the database does not answer: %s", type(problem).__name__)
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")


def told(measure: Measure) -> dict[str, Any]:
    """A measure as JSON tells it."""
    found: dict[str, Any] = {"name": measure.name, "says": measure.says, "value": measure.value, "ok": measure.is_fine}
    if measure.labels:
        found["labels"] = measure.labels
    if measure.limit is not None:
        found["limit"] = measure.limit
    if not measure.is_fine:
        found["fix"] = measure.fix
    return found
