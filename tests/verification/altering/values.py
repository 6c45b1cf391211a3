"""Other valid values of a column."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from crm_contact_guard.directory.ids import uuid7


def others(field: models.Field[Any, Any], value: Any) -> Iterator[Any]:
    """Values that the column's type, length and choices allow; those that its foreign key finds first."""
    if field.is_relation and field.related_model is not None:
        rows = field.related_model._base_manager.exclude(pk=value).order_by("pk")
        yield from rows.values_list("pk", flat=True)
        yield uuid7()
    elif field.choices:
        yield from (choice for choice, _label in field.flatchoices if choice != value)
    else:
        yield _other(field, value)


def _other(field: models.Field[Any, Any], value: Any) -> Any:
    match field:
        case models.BooleanField():
            return not value
        case models.DateField():  # moments, too
            return (value or timezone.now()) + timedelta(days=400)
        case models.FloatField():
            return value / 2 + 0.1
        case models.IntegerField():
            return (value or 0) + 1000
        case models.UUIDField():
            return uuid7()
        case models.BinaryField():
            return bytes([bytes(value)[0] ^ 1]) + bytes(value)[1:] if value else b"x" * 16
        case models.JSONField():
            return {"mon": [["00:00", "24:00"]]}
        case models.CharField() | models.TextField():
            text = "x" if not value else ("y" if value[0] == "x" else "x") + value[1:]
            return text[: field.max_length]
    raise NotImplementedError(f"{type(field).__name__} of {field.name}")
