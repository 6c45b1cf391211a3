"""Each column of the recorded tables, of the queue and of the tree is altered once; verification says which."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models, transaction

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.record.models import Event, Message, Pending
from crm_contact_guard.sealing.models import Seal, Tile, TreeHead
from crm_contact_guard.verification.whole_record import verify
from tests.record import rows
from tests.verification.tampering import needs_database
from tests.verification.tampering.scene import update

pytestmark = needs_database

_COLUMNS = [
    (model, field.attname)
    for model in (Message, Event, Pending, Seal, Tile, TreeHead)
    for field in model._meta.concrete_fields
    # The queue's own number orders sealing, which any order satisfies.
    if (model, field.attname) != (Pending, "id")
]


@pytest.mark.parametrize(("model", "column"), _COLUMNS, ids=lambda value: getattr(value, "__name__", value))
def test_an_altered_column_is_reported(model: type[models.Model], column: str) -> None:
    talk = rows.talk()
    rows.sealed_record(talk)
    if model is Pending:
        rows.message(talk)
    # Not the events of the talk's own rows: their kinds are so rare that the original isn't found among others.
    chosen = model._base_manager.filter(message__isnull=False) if model is Event else model._base_manager.all()
    row = chosen.order_by("pk")[0]
    field = next(field for field in model._meta.concrete_fields if field.attname == column)

    # MariaDB commits when triggers are dropped; its tables are emptied after the test.
    with transaction.atomic() if connection.vendor != "mysql" else nullcontext():
        update(row, **{column: _another(getattr(row, column), field)})
        faults = [str(fault) for fault in verify().faults]
        if connection.vendor != "mysql":
            transaction.set_rollback(True)

    assert faults
    if model in (Message, Event) and column not in ("id", "occurred_at"):
        # A value and its part of the salt are hashed together, so either may differ.
        name = {"digests": "digest", "leaf_hash": "leaf hash", "salt": "from what was sealed"}.get(column, field.name)
        found = [fault for fault in faults if fault.startswith(f"{model.__name__.lower()} {row.pk} ") and name in fault]
        assert found, faults


def _another(value: Any, field: Any) -> Any:
    if isinstance(field, models.BinaryField):
        return bytes(32) + bytes(value)[32:] if value is not None else bytes(144)
    if isinstance(value, bool | int):
        return value + 1
    if isinstance(value, datetime):
        return value + timedelta(hours=2)
    if isinstance(value, UUID):
        return uuid7()
    if value is None and not isinstance(field, models.TextField):
        return uuid7()
    return "other"
