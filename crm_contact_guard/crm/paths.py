"""Paths over a host's rows, as used in the declarative adapter's settings.

A path consists of attribute or field names joined by ``.``. Callables are called; related managers, lists and dicts
are traversed. Text may contain paths in braces, such as ``"{last_name} {first_name}"``, which are replaced by their
values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import getattr_static
from typing import Any, TypeAlias

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db.models import CharField, Manager, Model, Prefetch, QuerySet, TextField
from django.db.models.fields.related_descriptors import (
    ForwardManyToOneDescriptor,
    ForwardOneToOneDescriptor,
    ManyToManyDescriptor,
    ReverseManyToOneDescriptor,
    ReverseOneToOneDescriptor,
)

from crm_contact_guard.hosting import host_rows

#: One path, or several whose values are combined.
Paths: TypeAlias = str | Sequence[str] | None

_PLACE = re.compile(r"\{([^{}]+)\}")
_SEVERAL = re.compile(r"[,;\n]+")


def values(row: Any, paths: Paths) -> list[Any]:
    """Return all values of the paths, in order, without None and empty strings."""
    result: list[Any] = []
    for path in each_path(paths):
        result.extend([filled(row, path)] if is_filled(path) else _walk(row, path))
    return [value for value in result if value is not None and value != ""]


def texts(row: Any, paths: Paths) -> list[str]:
    """Return the values as text without duplicates. Each is split at commas, semicolons and line breaks."""
    parts = [part.strip() for value in values(row, paths) for part in _SEVERAL.split(str(value))]
    return list(dict.fromkeys(part for part in parts if part))


def first(row: Any, paths: Paths) -> str:
    """Return the first value as text; empty if there is none."""
    return next((str(value) for value in values(row, paths)), "")


def keys(row: Any, paths: Paths) -> list[str]:
    """Return the values as keys. The key of a row is its primary key."""
    return [str(getattr(value, "pk", value)) for value in values(row, paths)]


def key(row: Any, paths: Paths) -> str:
    """Return the first value as a key; empty if there is none."""
    return next(iter(keys(row, paths)), "")


def each_path(paths: Paths) -> list[str]:
    return [paths] if isinstance(paths, str) else list(paths or ())


def is_filled(path: str) -> bool:
    """Whether ``path`` is text with paths in braces rather than a single path."""
    return "{" in path


def filled(row: Any, text: str) -> str:
    """Return the text with its paths replaced by their values; empty if all values are empty."""
    parts = {place: first(row, place) for place in places(text)}
    if not any(parts.values()):
        return ""
    return " ".join(_PLACE.sub(lambda match: parts[match[1]], text).split())


def places(text: str) -> list[str]:
    """Return the paths in braces in a text, or the path itself if ``text`` is a single path."""
    return _PLACE.findall(text) if is_filled(text) else [text]


def lookup(path: str) -> str:
    """Return the path as a field lookup for the ORM."""
    return path.replace(".", "__")


# --- traversal


def _walk(row: Any, path: str) -> list[Any]:
    current = [row]
    for name in path.split("."):
        current = [value for item in current for value in _flattened(_step(item, name))]
    return current


def _step(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    try:
        attribute = host_rows.attribute(value, name)
    except ObjectDoesNotExist:
        return None  # refers to a row that does not exist
    return attribute() if callable(attribute) and not isinstance(attribute, Manager) else attribute


def _flattened(value: Any) -> Iterable[Any]:
    """Return the items of a manager, queryset or collection. Any other value is a single item; None is no item."""
    if isinstance(value, (Manager, QuerySet)):
        return host_rows.every(value)
    if isinstance(value, (list, tuple, set, frozenset, Iterator)):
        return [inner for item in value for inner in _flattened(item)]
    return () if value is None else (value,)


# --- inspecting a path without a row

#: Django's descriptors for one related row and for several. Descriptors of libraries may not support
#: ``prefetch_related``.
_TO_ONE = (ForwardManyToOneDescriptor, ForwardOneToOneDescriptor, ReverseOneToOneDescriptor)
_TO_MANY = (ReverseManyToOneDescriptor, ManyToManyDescriptor)


def prefetches(model: type[Model], paths: Iterable[str]) -> list[Prefetch[Any]]:
    """Return arguments for ``prefetch_related``, so that the relations in the paths aren't queried for each row."""
    found: dict[str, Prefetch[Any]] = {}
    for path in paths:
        names, inner = "", model
        for name in path.split("."):
            descriptor = type(getattr_static(inner, name, None))
            field = _field(inner, name)
            if field is None or descriptor not in _TO_ONE + _TO_MANY:
                break
            names, inner = f"{names}__{name}".removeprefix("__"), field.related_model
            rows = host_rows.manager(inner).all() if descriptor in _TO_ONE else None
            found.setdefault(names, Prefetch(names, rows))
    return list(found.values())


def lost(model: type[Model], path: str) -> tuple[type[Model], str] | None:
    """Return the model and the name it lacks if a path is invalid, or None if it is valid or can't be fully checked."""
    for name in path.split("."):
        field = _field(model, name)
        if field is None:
            # Without a row, the value of a property or method is unknown.
            return None if hasattr(model, name) or hasattr(model, "__getattr__") else (model, name)
        related = getattr(field, "related_model", None)
        if not isinstance(related, type):
            return None  # a column, or a generic relation
        model = related
    return None


def is_column(model: type[Model], path: str) -> bool:
    """Whether the database can look up the path."""
    return _column(model, path) is not None


def is_text(model: type[Model], path: str) -> bool:
    """Whether the path leads to a text column."""
    return isinstance(_column(model, path), (CharField, TextField))


def key_lookup(model: type[Model], path: str) -> str:
    """Return the lookup for comparing rows with the value that ``key`` returns for the path.

    It is empty if the path leads to several values or isn't a column.
    """
    field: Any = None
    for name in path.split("."):
        field = _field(model, name)
        if not getattr(field, "concrete", False):
            return ""
        model = field.related_model
    return f"{lookup(path)}__pk" if field.is_relation else lookup(path)


def _column(model: type[Model], path: str) -> Any:
    field: Any = None
    inner: Any = model
    for name in path.split("."):
        field = _field(inner, name) if isinstance(inner, type) else None
        if field is None:
            return None
        inner = getattr(field, "related_model", None)
    return field if getattr(field, "concrete", False) else None


def _field(model: type[Model], name: str) -> Any:
    for relation in model._meta.related_objects:
        if relation.get_accessor_name() == name:
            return relation
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    # A reverse relation is accessible by its accessor, not by its query name.
    return None if field.auto_created and not field.concrete else field


__all__ = [
    "Paths",
    "each_path",
    "filled",
    "first",
    "is_column",
    "is_filled",
    "is_text",
    "key",
    "key_lookup",
    "keys",
    "lookup",
    "lost",
    "places",
    "prefetches",
    "texts",
    "values",
]
