"""The expected definitions of our tables, derived from the models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

APP: Final = "crm_contact_guard"

#: Name of a database object, and what is wrong with it.
Said = tuple[str, str]
Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its type as Django writes it, whether the database fills in numbers, and whether it has a default.

    ``shared``: whether it is part of a foreign key or referred to by one, so that both columns need the same collation.
    ``types``: other types that migrations may have given it.
    """

    name: str
    type: str
    types: tuple[str, ...]
    shared: bool
    null: bool
    numbered: bool
    default: bool

    def allows(self, default: str | None) -> bool:
        """Whether migrations may have set this default: a literal if the model has a default, None otherwise."""
        return default is None if not self.default else default is not None and "(" not in default


@dataclass(slots=True)
class Table:
    """A table. ``checks``: columns that must not be negative. ``partial``: names of indexes with a condition."""

    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    unique: set[Columns] = field(default_factory=set)
    foreign: set[tuple[str, str, str]] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    partial: set[str] = field(default_factory=set)


def our_models() -> list[type[models.Model]]:
    """Return the models of all our tables, including those of many-to-many relations."""
    found = apps.get_app_config(APP).get_models(include_auto_created=True)
    return [model for model in found if model._meta.managed and not model._meta.proxy]


def table_names() -> list[str]:
    """Return the names of our tables."""
    return [model._meta.db_table for model in our_models()]


def tables(connection: BaseDatabaseWrapper) -> dict[str, Table]:
    """Return our tables by name."""
    return {model._meta.db_table: _table(connection, model) for model in our_models()}


def _table(connection: BaseDatabaseWrapper, model: type[models.Model]) -> Table:
    meta = model._meta
    table = Table(meta.db_table)
    for each in meta.local_concrete_fields:
        parameters = each.db_parameters(connection)
        column = str(each.column)
        table.columns[column] = Column(
            name=column,
            type=str(parameters["type"]),
            types=_types(model, each, connection),
            shared=each.primary_key or isinstance(each, models.ForeignKey),
            null=each.null and not each.primary_key,
            numbered=isinstance(each, models.AutoField),
            default=each.has_db_default(),
        )
        if parameters.get("check") and not isinstance(each, models.JSONField):
            table.checks.add(column)
        if each.unique or each.primary_key:
            table.unique.add((column,))
        if isinstance(each, models.ForeignKey) and getattr(each, "db_constraint", True):
            table.foreign.add((column, each.related_model._meta.db_table, str(each.target_field.column)))
    table.unique |= set(_unique(meta))
    table.partial |= {index.name for index in meta.indexes if index.condition is not None}
    return table


def _types(model: type[models.Model], column: Any, connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    """The types of keys that the host's ``DEFAULT_AUTO_FIELD`` decides, in tables that Django makes by itself."""
    if not (model._meta.auto_created and column.primary_key):
        return ()
    keys = (models.AutoField(), models.BigAutoField(), models.SmallAutoField())
    return tuple(str(key.db_type(connection)) for key in keys)


def _unique(meta: Any) -> Iterator[Columns]:
    named = [*meta.unique_together, *(constraint.fields for constraint in meta.total_unique_constraints)]
    for names in named:
        yield tuple(str(meta.get_field(name).column) for name in names)


def listed(names: Columns) -> str:
    """Join column names for a report."""
    return ", ".join(names)
