"""Filters named like the fields. An unknown name or a value that can't be read is a 400 that says so, never ignored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

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
    """One filter: the ORM lookup it stands for, and the field that reads its text."""

    lookup: str
    field: serializers.Field[Any, Any, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The filters of one request, as lookups for the ORM and as the text that is recorded."""

    lookups: Mapping[str, Any]
    texts: Mapping[str, str]


Filters = Mapping[str, Filter]


def row(lookup: str) -> Filter:
    """By the id of a row."""
    return Filter(lookup=lookup, field=serializers.UUIDField())


def code(lookup: str, words: Any) -> Filter:
    """By one of our words (see ``CodeField``)."""
    return Filter(lookup=lookup, field=CodeField(words))


def text(lookup: str) -> Filter:
    """By an exact text."""
    return Filter(lookup=lookup, field=serializers.CharField(max_length=255, trim_whitespace=False))


def times(*names: str) -> dict[str, Filter]:
    """``<name>__gte`` and ``<name>__lt`` for each name: from, and before."""
    return {
        f"{name}__{side}": Filter(lookup=f"{name}__{side}", field=Moment()) for name in names for side in ("gte", "lt")
    }


def required(request: Request, name: str) -> str:
    """The text of a query parameter that must be given. Raises InvalidQuery."""
    text = request.query_params.get(name, "")
    if not text.strip():
        raise InvalidQuery(name, _("This parameter is required."))
    return text


def read(request: Request, filters: Filters, *, also: Sequence[str] = ()) -> Chosen:
    """The filters of a request. ``also`` names query parameters that are no filters. Raises InvalidQuery."""
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
    """A query parameter that is true or false; absent is false. Raises InvalidQuery."""
    given = request.query_params.get(name, "false").lower()
    if given not in ("true", "1", "false", "0"):
        raise InvalidQuery(name, _("Use true or false."))
    return given in ("true", "1")


def parameters(filters: Filters) -> list[OpenApiParameter]:
    """The same filters for the schema."""
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
