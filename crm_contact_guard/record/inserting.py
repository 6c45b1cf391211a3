"""Inserting a row by a statement that is composed once: for a recorded one that pays for its digests and its note.

``Model.save`` composes the same statement anew for every row. Signals, routing and errors are as with ``save``.
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

#: Fields whose values drivers take as they are.
_PLAIN: Final = (models.CharField, models.TextField, models.PositiveSmallIntegerField)


def insert(row: Message | Event) -> None:
    """Insert ``row``, complete with its digests, as ``row.save(force_insert=True)`` would."""
    model, using = type(row), database.alias()
    told: dict[str, Any] = {"instance": row, "raw": False, "using": using, "update_fields": None}

    def done() -> None:
        row._state.adding, row._state.db = False, using
        post_save.send(sender=model, created=True, **told)

    pre_save.send(sender=model, **told)
    _insert(row, using, then=done)


def insert_quietly(row: models.Model) -> None:
    """Insert a row of working state: without signals, and without asking for a key that the database gives."""
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
    """The statement, and of each column the attribute, with its field where the value must be put into a form."""
    quote = "`{}`" if vendor == "mysql" else '"{}"'
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    columns = ", ".join(quote.format(field.column) for field in fields)
    # MySQL warns of bytes that are no text of the connection's character set.
    binary = "_binary %s" if vendor == "mysql" else "%s"
    places = ", ".join(binary if isinstance(field, models.BinaryField) else "%s" for field in fields)
    attributes = [(field.attname, None if _is_plain(field, native_uuid) else field) for field in fields]
    return f"INSERT INTO {quote.format(model._meta.db_table)} ({columns}) VALUES ({places})", attributes


def _is_plain(field: Any, native_uuid: bool) -> bool:
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    return isinstance(target, _PLAIN) or (native_uuid and isinstance(target, models.UUIDField))
