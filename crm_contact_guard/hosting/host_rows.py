"""Reading the host's rows as they are now: where the host keeps replicas, from the database that it writes to.

A replica may not have yet what was written a moment ago: a customer would be told to be gone, an employee to be
nobody. Everywhere else this is Django's own way of reading.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connections, router
from django.db.models import ForeignKey, Manager, Model, OneToOneRel, QuerySet


def source(model: type[Any]) -> str:
    """Alias of the database to read ``model`` from: where it is written, or, when its table is not there since the host
    only reads it (another system's), where it is read."""
    read: str = router.db_for_read(model)
    written: str = router.db_for_write(model)
    return written if written != read and _has(written, model._meta.db_table) else read


@cache
def _has(alias: str, table: str) -> bool:
    connection = connections[alias]
    with connection.cursor() as cursor:
        return any(found.name == table for found in connection.introspection.get_table_list(cursor))


def manager(model: type[Any]) -> Manager[Any]:
    """The plain manager: a host's default manager may hide rows (archived, other sites)."""
    found: Manager[Any] = model._base_manager
    return found.db_manager(source(model))


def every(rows: Manager[Any] | QuerySet[Any]) -> QuerySet[Any]:
    """The rows of a manager, of a relation for instance, or of a query."""
    if isinstance(rows, Manager) and rows.db != (wanted := source(rows.model)):
        return rows.using(wanted)
    return rows.all()


def attribute(row: Any, name: str) -> Any:
    """``getattr``, or None; a row that this one points to, or that is its other half, comes from its source."""
    relation = _relation(row._meta.model, name) if isinstance(row, Model) else None
    if relation is not None and not relation.is_cached(row):
        model = relation.related_model
        if source(model) != router.db_for_read(model, instance=row):
            if isinstance(relation, OneToOneRel):
                found = manager(model).filter(**relation.field.get_forward_related_filter(row))
            else:
                found = manager(model).filter(relation.get_reverse_related_filter(row))
            relation.set_cached_value(row, found.first())
    return getattr(row, name, None)


@cache
def _relation(model: type[Model], name: str) -> Any:
    """The relation to one other row that stands behind an attribute; None for any other attribute."""
    for field in model._meta.get_fields():
        if isinstance(field, ForeignKey) and field.name == name:
            return field
        if isinstance(field, OneToOneRel) and field.get_accessor_name() == name:
            return field
    return None
