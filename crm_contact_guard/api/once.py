"""POST requests that create something: a request with an ``Idempotency-Key`` can be repeated."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.tokens import creating

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
KEY: Final = OpenApiParameter(
    IDEMPOTENCY_KEY,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Your own key of this request: repeating it creates nothing more, and gives the first row with 200.",
)


def key_of(request: Request) -> str:
    """Return the caller's ``Idempotency-Key``, or an empty string if none was sent.

    Raises ValidationError for a key that is longer than 255 characters or not printable ASCII.
    """
    key = request.headers.get(IDEMPOTENCY_KEY, "").strip()
    if len(key) > 255 or not (key.isascii() and key.isprintable()):
        raise ValidationError({IDEMPOTENCY_KEY: [_("Use at most 255 printable ASCII characters.")]})
    return key


def created(request: Request, caller: Employee, operation: str, make: Callable[[], UUID]) -> tuple[UUID, int]:
    """Create a row with ``make`` unless the request is a repetition. Return its ID and the status of the answer.

    Raise InvalidMessage if the key was used with another body.
    """
    key = key_of(request)
    if not key:
        return make(), status.HTTP_201_CREATED
    body = json.dumps(request.data, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")
    row, is_repeated = creating.create_once(caller, operation, key, sha256(body).hexdigest(), make)
    return row, status.HTTP_200_OK if is_repeated else status.HTTP_201_CREATED
