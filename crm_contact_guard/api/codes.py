"""Serializer fields for this app's enumerations.

Each enumeration is one named schema component, so that client generators create a single type for it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db.models import IntegerChoices, TextChoices
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from rest_framework import serializers


class CodeField(serializers.ChoiceField):
    """A choice from the enumeration ``words``.

    Integer values are represented by their lower-case name, an empty stored string by null. ``name`` is the name of
    the schema component; the default is the name of the enumeration.
    """

    def __init__(self, words: type[TextChoices | StrEnum | IntegerChoices], name: str = "", **kwargs: Any) -> None:
        self.name = name or words.__name__
        self.names: dict[Any, str] = {
            word.value: word.name.lower() if isinstance(word.value, int) else word.value for word in words
        }
        self.values = {text: value for value, text in self.names.items()}
        super().__init__(choices=list(self.values), **kwargs)

    def to_representation(self, value: Any) -> Any:
        return self.names.get(value) if value else None

    def to_internal_value(self, data: Any) -> Any:
        return self.values[super().to_internal_value(data)]


class CodeSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """The description of a ``CodeField`` in the OpenAPI schema."""

    target_class = CodeField

    def get_name(self) -> str:
        return str(self.target.name)

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.target.values)}
