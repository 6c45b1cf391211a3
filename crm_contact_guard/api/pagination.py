"""Keyset pagination. An opaque cursor identifies the last row seen, so that pages stay correct while rows are added."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Model, Q
from django.utils.translation import gettext as _
from drf_spectacular.settings import spectacular_settings
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from crm_contact_guard.api.problems import InvalidQuery

DEFAULT_SIZE = 50
MAX_SIZE = 200

#: Query parameters that are not filters.
PARAMETERS = ("cursor", "page_size", "ordering")
#: Possible orders of a page, newest first. The columns are never null and never change, and the last one is unique.
BY_ID = ("id",)
BY_TIME = ("occurred_at", "id")
BY_RECORD = ("recorded_at", "id")


class KeysetPagination(BasePagination):
    """Pages ordered by ``view.keyset``, newest first, or oldest first if ``ordering`` has no minus.

    ``page_size`` is at most 200. ``cursor`` is taken from the links ``next`` and ``previous`` of an earlier response.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        self.columns: Sequence[str] = getattr(view, "keyset", BY_ID)
        self.url = request.build_absolute_uri()
        size = _size(request)
        position, backwards = self._position(request)
        ascending = backwards != _is_oldest_first(request, self.columns[0])
        order = [name if ascending else f"-{name}" for name in self.columns]
        rows = queryset.order_by(*order)
        if position is not None:
            rows = rows.filter(_beyond(self.columns, position, "gt" if ascending else "lt"))
        page = list(rows[: size + 1])
        more = len(page) > size
        page = page[:size]
        if backwards:
            page.reverse()
        self.page = page
        self.has_next = bool(page) and (backwards or more)
        self.has_previous = bool(page) and (more if backwards else position is not None)
        return page

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "next": self._link(self.page[-1], backwards=False) if self.has_next else None,
                "previous": self._link(self.page[0], backwards=True) if self.has_previous else None,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        null = (
            {"type": ["string", "null"]}
            if spectacular_settings.OAS_VERSION >= "3.1"
            else {"type": "string", "nullable": True}
        )
        link = {"format": "uri", **null}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        orders = _orders(getattr(view, "keyset", BY_ID)[0])
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where the page starts: from `next` or `previous` of an earlier answer.",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE},
            },
            {
                "name": "ordering",
                "in": "query",
                "required": False,
                "description": "With a minus the newest first, without it the oldest.",
                "schema": {"type": "string", "enum": orders, "default": orders[0]},
            },
        ]

    def _link(self, row: Model, *, backwards: bool) -> str:
        values = [getattr(row, name) for name in self.columns]
        texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
        packed = json.dumps([int(backwards), *texts], separators=(",", ":")).encode()
        return replace_query_param(self.url, "cursor", urlsafe_b64encode(packed).decode().rstrip("="))

    def _position(self, request: Request) -> tuple[list[datetime | UUID] | None, bool]:
        text = request.query_params.get("cursor")
        if text is None:
            return None, False
        try:
            unpacked = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            backwards, *texts = unpacked
            position = [_value(name, given) for name, given in zip(self.columns, texts, strict=True)]
        except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
            raise InvalidQuery("cursor", _("This is not a cursor of this list.")) from error
        return position, bool(backwards)


def _value(column: str, text: str) -> datetime | UUID:
    if column == "id":
        return UUID(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    # Convert to UTC here, so that a year out of range is reported as an invalid cursor, not by the database driver.
    return moment.astimezone(UTC)


def _beyond(columns: Sequence[str], position: Sequence[datetime | UUID], side: str) -> Q:
    """Return the condition for rows beyond ``position``, in the form ``a <= x AND (a < x OR b < y)``.

    This form can use an index on (a, b). ``side`` is "lt" or "gt".
    """
    if len(columns) == 1:
        return Q(**{f"{columns[0]}__{side}": position[0]})
    first, second = columns
    inner = Q(**{f"{first}__{side}": position[0]}) | Q(**{f"{second}__{side}": position[1]})
    return Q(**{f"{first}__{side}e": position[0]}) & inner


def _orders(column: str) -> list[str]:
    return [f"-{column}", column]


def _is_oldest_first(request: Request, column: str) -> bool:
    given = request.query_params.get("ordering", f"-{column}")
    if given not in _orders(column):
        raise InvalidQuery("ordering", _("Use %(newest)s or %(oldest)s.") % {"newest": f"-{column}", "oldest": column})
    return given == column


def _size(request: Request) -> int:
    text = request.query_params.get("page_size")
    if text is None:
        return DEFAULT_SIZE
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_SIZE):
        raise InvalidQuery("page_size", _("A page has 1 to %(most)d rows.") % {"most": MAX_SIZE})
    return int(text)
