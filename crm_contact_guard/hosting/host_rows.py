"""Read the host's rows from the database that they are written to, if the host has replicas.

A replica may lag behind, so that a new customer or employee would appear to be missing. Without replicas this is
Django's normal behaviour.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connections, router
from django.db.models import ForeignKey, Manager, Model, OneToOneRel, QuerySet


def source(model: type[Any]) -> str:
    """Return the alias of the database to read ``model`` from.

    This is the database for writing. If it doesn't have the table, which may belong to another system, it is the
    database for reading.
    """
    read: str = router.db_for_read(model)
    write: str = router.db_for_write(model)
    return write if write != read and _has(write, model._meta.db_table) else read


@cache
def _has(alias: str, table: str) -> bool:
    connection = connections[alias]
    with connection.cursor() as cursor:
        return any(info.name == table for info in connection.introspection.get_table_list(cursor))


def manager(model: type[Any]) -> Manager[Any]:
    """Return the base manager, since a host's default manager may hide rows (such as archived or other sites' rows)."""
    base: Manager[Any] = model._base_manager
    return base.db_manager(source(model))


def every(rows: Manager[Any] | QuerySet[Any]) -> QuerySet[Any]:
    """Return all rows of a manager (such as a relation's) or a queryset."""
    if isinstance(rows, Manager) and rows.db != (alias := source(rows.model)):
        return rows.using(alias)
    return rows.all()


def attribute(row: Any, name: str) -> Any:
    """Return the attribute ``name`` of ``row``, or None if it doesn't exist.

    The rows that foreign keys and one-to-one relations point to are read from their ``source``.
    """
    relation = _relation(row._meta.model, name) if isinstance(row, Model) else None
    if relation is not None and not relation.is_cached(row):
        model = relation.related_model
        if source(model) != router.db_for_read(model, instance=row):
            if isinstance(relation, OneToOneRel):
                related = manager(model).filter(**relation.field.get_forward_related_filter(row))
            else:
                related = manager(model).filter(relation.get_reverse_related_filter(row))
            relation.set_cached_value(row, related.first())
    return getattr(row, name, None)


@cache
def _relation(model: type[Model], name: str) -> Any:
    """Return the foreign key or one-to-one relation behind an attribute, or None for any other attribute."""
    for field in model._meta.get_fields():
        if isinstance(field, ForeignKey) and field.name == name:
            return field
        if isinstance(field, OneToOneRel) and field.get_accessor_name() == name:
            return field
    return None
