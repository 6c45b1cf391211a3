"""Query filters, named after the fields.

An unknown name or an invalid value is never ignored: the response is a 400 that names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from crm_contact_guard.api.codes import CodeField
from crm_contact_guard.api.problems import InvalidQuery
from crm_contact_guard.api.wire import Moment


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One filter: its ORM lookup, and the field that parses its value."""

    lookup: str
    field: serializers.Field[Any, Any, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The filters of one request, as ORM lookups and as the text to record."""

    lookups: Mapping[str, Any]
    texts: Mapping[str, str]


Filters = Mapping[str, Filter]


def row(lookup: str) -> Filter:
    """Filter by the ID of a row."""
    return Filter(lookup=lookup, field=serializers.UUIDField())


def code(lookup: str, words: Any) -> Filter:
    """Filter by a value of the enumeration ``words`` (see ``CodeField``)."""
    return Filter(lookup=lookup, field=CodeField(words))


def text(lookup: str) -> Filter:
    """Filter by exact text."""
    return Filter(lookup=lookup, field=serializers.CharField(max_length=255, trim_whitespace=False))


def times(*names: str) -> dict[str, Filter]:
    """Filters ``<name>__gte`` (from) and ``<name>__lt`` (before) for each name."""
    return {
        f"{name}__{side}": Filter(lookup=f"{name}__{side}", field=Moment()) for name in names for side in ("gte", "lt")
    }


def required(request: Request, name: str) -> str:
    """Return the text of a required query parameter. Raises InvalidQuery if it is missing or blank."""
    text = request.query_params.get(name, "")
    if not text.strip():
        raise InvalidQuery(name, _("This parameter is required."))
    return text


def read(request: Request, filters: Filters, *, also: Sequence[str] = ()) -> Chosen:
    """Return the filters of a request. ``also`` names query parameters that are not filters.

    Raises InvalidQuery for an unknown or repeated parameter, ValidationError for an invalid value.
    """
    lookups: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for name, values in request.query_params.lists():
        if name in also:
            if len(values) > 1:
                raise InvalidQuery(name, _("Give this parameter once."))
            continue
        if name not in filters:
            raise InvalidQuery(name[:100], _unknown(name, [*filters, *also]))
        if len(values) > 1:
            raise InvalidQuery(name, _("Give this parameter once."))
        try:
            value = filters[name].field.run_validation(values[0])
        except ValidationError as error:
            raise ValidationError({name: error.detail}) from error
        lookups[filters[name].lookup] = value
        texts[name] = values[0]
    return Chosen(lookups=lookups, texts=texts)


def flag(request: Request, name: str) -> bool:
    """Return the value of a Boolean query parameter, False if it is absent. Raises InvalidQuery for other values."""
    given = request.query_params.get(name, "false").lower()
    if given not in ("true", "1", "false", "0"):
        raise InvalidQuery(name, _("Use true or false."))
    return given in ("true", "1")


def row_id(request: Request, name: str) -> UUID | None:
    """Return the value of a query parameter that is the ID of a row, None if it is absent. Raises InvalidQuery."""
    given = request.query_params.get(name)
    try:
        return None if given is None else UUID(given)
    except ValueError as error:
        raise InvalidQuery(name, _("This is not an ID.")) from error


def parameters(filters: Filters) -> list[OpenApiParameter]:
    """Return the filters as parameters for the OpenAPI schema."""
    return [_parameter(name, each.field) for name, each in filters.items()]


def _parameter(name: str, field: serializers.Field[Any, Any, Any, Any]) -> OpenApiParameter:
    if isinstance(field, CodeField):
        return OpenApiParameter(name, OpenApiTypes.STR, enum=list(field.values))
    kinds: dict[type, OpenApiTypes] = {serializers.UUIDField: OpenApiTypes.UUID, Moment: OpenApiTypes.DATETIME}
    return OpenApiParameter(name, kinds.get(type(field), OpenApiTypes.STR))


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    if near:
        return _("There is no such parameter. Did you mean %(near)s?") % {"near": near[0]}
    return _("There is no such parameter. Known: %(known)s.") % {"known": ", ".join(sorted(known))}
