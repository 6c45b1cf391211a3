"""The parts of the OpenAPI 3.1 description that all views share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from crm_contact_guard.api.problems import ProblemSerializer

#: Replaces the host's SPECTACULAR_SETTINGS while this API's schema is generated.
SETTINGS: Final[dict[str, Any]] = {
    "TITLE": "Contact guard",
    "DESCRIPTION": "Conversations with customers on company channels, their record, and the alerts on it.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
}

Method = TypeVar("Method", bound=Callable[..., Any])

ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)
UNMASK = OpenApiParameter(
    "unmask",
    OpenApiTypes.BOOL,
    description="Give raw addresses and sensitive data; compliance officers only, and recorded.",
)
UNMASK_REASON = OpenApiParameter(
    "unmask_reason", OpenApiTypes.STR, description="Why the addresses are needed, for the record. Required to unmask."
)
UNMASKING = (UNMASK.name, UNMASK_REASON.name)

_SAYS = {
    400: "A value can't be used; `errors` names the fields.",
    401: "No login, or a token that is not valid.",
    403: "The caller may not do this.",
    404: "There is no such row, or the caller may not see it.",
    409: "Somebody else closed it meanwhile.",
    413: "The body is too large.",
    415: "The body must be application/json (or multipart/form-data where files are taken).",
    429: "Too many requests; `Retry-After` tells how long to wait.",
    422: "The Idempotency-Key belongs to another request.",
}


def PROBLEMS(*codes: int) -> dict[Any, Any]:  # noqa: N802 - stands beside the other constants of the schema
    """Return the error responses for these status codes. Where callers are authenticated, they are also counted."""
    told = (*codes, 429) if 401 in codes else codes
    return {(code, "application/problem+json"): OpenApiResponse(ProblemSerializer, _SAYS[code]) for code in told}


def answers(good: Any, *codes: int) -> dict[Any, Any]:
    """Return the responses of an operation: ``good`` for status 200, problem details for the status codes ``codes``."""
    return {200: good, **PROBLEMS(*codes)}


def described(**what: Any) -> Callable[[Method], Method]:
    """Apply ``extend_schema`` on top of drf-spectacular's schema class, regardless of the host's DRF default."""

    def decorate(method: Method) -> Method:
        method.kwargs = {"schema": AutoSchema}  # type: ignore[attr-defined]
        return extend_schema(**what)(method)

    return decorate
