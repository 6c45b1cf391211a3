"""Problem details (RFC 9457) for every error raised by this app, DRF or Django."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from crm_contact_guard.exceptions import (
    AlreadyClaimed,
    AlreadyClosed,
    ContactGuardError,
    InvalidMessage,
    NotPermitted,
    NotPossible,
)

#: Prefix of a problem's type. A stable name follows it; docs/api.md explains each name.
TYPE_PREFIX = "urn:crm-contact-guard:problem:"

_TITLES: dict[str, Any] = {
    "already-claimed": gettext_lazy("Already claimed"),
    "already-closed": gettext_lazy("Already closed"),
    "block": gettext_lazy("Message blocked"),
    "error": gettext_lazy("Request not possible"),
    "insufficient-scope": gettext_lazy("Not within the token's scopes"),
    "invalid": gettext_lazy("Invalid request"),
    "invalid-message": gettext_lazy("Message not possible"),
    "key-reused": gettext_lazy("Idempotency-Key used for another message"),
    "method-not-allowed": gettext_lazy("Method not allowed"),
    "not-authenticated": gettext_lazy("Not logged in"),
    "not-found": gettext_lazy("Not found"),
    "not-permitted": gettext_lazy("Not permitted"),
    "not-possible": gettext_lazy("Not possible now"),
    "nudge": gettext_lazy("Please reconsider"),
    "too-large": gettext_lazy("Too large"),
    "too-many-requests": gettext_lazy("Too many requests"),
    "unsupported-media-type": gettext_lazy("Unsupported media type"),
}
_BY_STATUS = {
    status.HTTP_400_BAD_REQUEST: "invalid",
    status.HTTP_401_UNAUTHORIZED: "not-authenticated",
    status.HTTP_403_FORBIDDEN: "not-permitted",
    status.HTTP_404_NOT_FOUND: "not-found",
    status.HTTP_405_METHOD_NOT_ALLOWED: "method-not-allowed",
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE: "too-large",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "unsupported-media-type",
}


class FieldProblemSerializer(serializers.Serializer[Any]):
    """One field and what is wrong with it."""

    field = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """Problem details according to RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = FieldProblemSerializer(many=True, required=False)  # type: ignore[assignment]  # a field, taken off


class InvalidQuery(exceptions.ValidationError):
    """A query parameter is unknown or has an invalid value."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__({name: [detail]})


def problem(
    code: str,
    *,
    status_code: int,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return a problem response of type ``code``. ``more`` contains extension members."""
    data: dict[str, Any] = {
        "type": TYPE_PREFIX + code,
        "title": str(_TITLES.get(code, _TITLES["error"])),
        "status": status_code,
        "detail": detail,
    }
    if errors:
        data["errors"] = errors
    response = Response({**data, **more}, status=status_code, headers=dict(headers or {}))
    response.exception = True
    return response


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Handle exceptions of API views, as DRF's exception handler.

    Returns None for an unexpected exception, which the host's handling of server errors then receives.
    """
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, (PermissionDenied, NotPermitted)):
        error = exceptions.PermissionDenied(str(error) or None)
    response = _own(error) if isinstance(error, ContactGuardError) else None
    if isinstance(error, exceptions.APIException):
        response = _drf(error)
    if response is not None:
        set_rollback()
    return response


def _own(error: ContactGuardError) -> Response | None:
    if isinstance(error, InvalidMessage):
        reused = error.field == "Idempotency-Key"
        return problem(
            "key-reused" if reused else error.code,
            status_code=status.HTTP_422_UNPROCESSABLE_ENTITY if reused else status.HTTP_400_BAD_REQUEST,
            detail=str(error),
            errors=[{"field": error.field, "detail": str(error)}],
        )
    if isinstance(error, AlreadyClaimed):
        return problem(
            error.code,
            status_code=status.HTTP_409_CONFLICT,
            detail=str(error),
            claimed_by=error.by,
            claimed_at=error.at.isoformat() if error.at else None,
        )
    if isinstance(error, AlreadyClosed | NotPossible):
        return problem(error.code, status_code=status.HTTP_409_CONFLICT, detail=str(error))
    return None


def _drf(error: exceptions.APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    errors = list(_fields(error.detail, "")) if isinstance(error.detail, (dict, list)) else []
    if errors:
        detail = _("Some values can't be used: %(fields)s.") % {
            "fields": ", ".join(dict.fromkeys(each["field"] for each in errors))
        }
    else:
        detail = str(error.detail)
    code = error.default_code if error.default_code in _TITLES else _BY_STATUS.get(error.status_code, "error")
    return problem(code, status_code=error.status_code, detail=detail, errors=errors, headers=headers)


def _fields(detail: Any, path: str) -> list[dict[str, str]]:
    """Return DRF's nested error structure as a flat list. A nested field is named like ``override.code``."""
    if isinstance(detail, dict):
        return [found for name, inner in detail.items() for found in _fields(inner, _below(path, str(name)))]
    if isinstance(detail, list):
        return [found for inner in detail for found in _fields(inner, path)]
    return [{"field": path, "detail": str(detail)}]


def _below(path: str, name: str) -> str:
    """Return the path of a nested field, such as ``override.code``.

    DRF's errors about a value as a whole (``non_field_errors``) are reported under the path of that value.
    """
    if name == api_settings.NON_FIELD_ERRORS_KEY:
        return path
    return f"{path}.{name}" if path else name
