"""Insert rows with a cached INSERT statement, which ``Model.save`` would recompile for each row.

The time saved makes up for the digests and the pending row. Signals, routing and errors are the same as with ``save``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from django.db import connections, models
from django.db.models.signals import post_save, pre_save

from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.statements import execute

#: Fields whose values need no conversion for the driver.
_PLAIN: Final = (models.CharField, models.TextField, models.PositiveSmallIntegerField)


def insert(row: Message | Event) -> None:
    """Insert ``row`` as ``row.save(force_insert=True)`` would. Its digests must be set."""
    model, using = type(row), database.alias()
    signal: dict[str, Any] = {"instance": row, "raw": False, "using": using, "update_fields": None}

    def done() -> None:
        row._state.adding, row._state.db = False, using
        post_save.send(sender=model, created=True, **signal)

    pre_save.send(sender=model, **signal)
    _insert(row, using, then=done)


def insert_quietly(row: models.Model) -> None:
    """Insert a row of working state, without signals and without fetching an automatic primary key."""
    _insert(row, database.alias())


def _insert(row: models.Model, using: str, then: Callable[[], object] | None = None) -> None:
    connection = connections[using]
    statement, fields = _statement(type(row), connection.vendor, connection.features.has_native_uuid_field)
    values = [
        getattr(row, name) if field is None else field.get_db_prep_save(getattr(row, name), connection)
        for name, field in fields
    ]
    execute(using, statement, values, then=then)


@lru_cache(maxsize=16)
def _statement(model: type[models.Model], vendor: str, native_uuid: bool) -> tuple[str, list[tuple[str, Any]]]:
    """Return the INSERT statement and, per column, the attribute name and a converting field (None: no conversion)."""
    quote = "`{}`" if vendor == "mysql" else '"{}"'
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    columns = ", ".join(quote.format(field.column) for field in fields)
    # Without _binary, MySQL warns about bytes that are invalid in the connection's character set.
    binary = "_binary %s" if vendor == "mysql" else "%s"
    places = ", ".join(binary if isinstance(field, models.BinaryField) else "%s" for field in fields)
    attributes = [(field.attname, None if _is_plain(field, native_uuid) else field) for field in fields]
    return f"INSERT INTO {quote.format(model._meta.db_table)} ({columns}) VALUES ({places})", attributes


def _is_plain(field: Any, native_uuid: bool) -> bool:
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    return isinstance(target, _PLAIN) or (native_uuid and isinstance(target, models.UUIDField))
