"""Paths over a host's rows, as the declarative adapter's settings name them.

A path is attribute or field names joined by ``.``. What can be called is called; related managers, lists and dicts on
the way are walked, however many. Text with paths in braces, ``"{last_name} {first_name}"``, is filled in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db.models import CharField, Manager, Model, QuerySet, TextField

from crm_contact_guard.hosting import host_rows

#: One path, or several whose values are all taken.
Paths: TypeAlias = str | Sequence[str] | None

_PLACE = re.compile(r"\{([^{}]+)\}")
_SEVERAL = re.compile(r"[,;\n]+")


def values(row: Any, paths: Paths) -> list[Any]:
    """All that the paths lead to, in order; what is None or empty text is left out."""
    found: list[Any] = []
    for path in each_path(paths):
        found.extend([filled(row, path)] if is_filled(path) else _walk(row, path))
    return [value for value in found if value is not None and value != ""]


def texts(row: Any, paths: Paths) -> list[str]:
    """The values as text, each once; text holding commas, semicolons or line breaks gives several."""
    parts = [part.strip() for value in values(row, paths) for part in _SEVERAL.split(str(value))]
    return list(dict.fromkeys(part for part in parts if part))


def first(row: Any, paths: Paths) -> str:
    """The first value as text; empty when there is none."""
    return next((str(value) for value in values(row, paths)), "")


def keys(row: Any, paths: Paths) -> list[str]:
    """The values as keys: of rows their primary key."""
    return [str(getattr(value, "pk", value)) for value in values(row, paths)]


def key(row: Any, paths: Paths) -> str:
    """The first of the keys; empty when there is none."""
    return next(iter(keys(row, paths)), "")


def each_path(paths: Paths) -> list[str]:
    return [paths] if isinstance(paths, str) else list(paths or ())


def is_filled(path: str) -> bool:
    """Whether it is text to be filled in rather than a path."""
    return "{" in path


def filled(row: Any, text: str) -> str:
    """The text with its places filled in; empty when nothing could be put into any of them."""
    parts = {place: first(row, place) for place in places(text)}
    if not any(parts.values()):
        return ""
    return " ".join(_PLACE.sub(lambda match: parts[match[1]], text).split())


def places(text: str) -> list[str]:
    """The paths in the braces of a text that is filled in; of a path, itself."""
    return _PLACE.findall(text) if is_filled(text) else [text]


def lookup(path: str) -> str:
    """A path as the database's field look-up."""
    return path.replace(".", "__")


# --- walking


def _walk(row: Any, path: str) -> list[Any]:
    found = [row]
    for name in path.split("."):
        found = [value for one in found for value in _opened(_step(one, name))]
    return found


def _step(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    try:
        found = host_rows.attribute(value, name)
    except ObjectDoesNotExist:
        return None  # points to a row that is gone
    return found() if callable(found) and not isinstance(found, Manager) else found


def _opened(value: Any) -> Iterable[Any]:
    """What a step led to, one by one."""
    if isinstance(value, (Manager, QuerySet)):
        return host_rows.every(value)
    if isinstance(value, (list, tuple, set, frozenset, Iterator)):
        return [inner for one in value for inner in _opened(one)]
    return () if value is None else (value,)


# --- looking at a path without a row


def lost(model: type[Model], path: str) -> tuple[type[Model], str] | None:
    """Where a path leaves what can be seen of the models: the model, and the name it lacks. None: nothing is amiss."""
    for name in path.split("."):
        field = _field(model, name)
        if field is None:
            # A property or method: what it gives only a row can tell.
            return None if hasattr(model, name) or hasattr(model, "__getattr__") else (model, name)
        related = getattr(field, "related_model", None)
        if not isinstance(related, type):
            return None  # a column, or a relation to anything
        model = related
    return None


def is_column(model: type[Model], path: str) -> bool:
    """Whether a path is one that the database can look up."""
    return _column(model, path) is not None


def is_text(model: type[Model], path: str) -> bool:
    """Whether a path leads to a column of text."""
    return isinstance(_column(model, path), (CharField, TextField))


def key_lookup(model: type[Model], path: str) -> str:
    """The look-up that compares a column with what ``key`` gives for the path; empty where a row may have several, or
    the database none."""
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
    # A reverse relation is reached by its accessor, not by its name in queries.
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
    "texts",
    "values",
]
