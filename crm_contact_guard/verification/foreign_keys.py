"""Check for open erasure permits and for foreign keys to missing rows."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connections, models

from crm_contact_guard.record.models import Conversation, ErasurePermit, Event, Message
from crm_contact_guard.verification.report import Report

_SHOWN = 20


def check(using: str, report: Report) -> None:
    """Report open erasure permits, and foreign keys to missing rows. Call this within ``pinned``."""
    for permit in ErasurePermit.objects.using(using).order_by("pk")[:_SHOWN]:
        report.add(f"row {permit.pk}", "has an open erasure permit: its personal values can be erased")
    for field in _links():
        _check_link(using, field, report)


def _links() -> list[models.ForeignKey[Any, Any]]:
    """Return the recorded tables' foreign keys, and this app's foreign keys to recorded rows and conversations."""
    return [
        field
        for model in apps.get_app_config("crm_contact_guard").get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and (model in (Message, Event) or field.related_model in (Message, Event, Conversation))
    ]


def _check_link(using: str, field: models.ForeignKey[Any, Any], report: Report) -> None:
    source, target = field.model._meta, field.related_model._meta
    name = connections[using].ops.quote_name
    key, column, other = (name(str(part.column)) for part in (source.pk, field, target.pk))
    with connections[using].cursor() as cursor:
        # Many rows refer to few others. Comparing each value once takes a tenth of the time of joining all rows.
        cursor.execute(
            f"SELECT d.v FROM (SELECT DISTINCT {column} AS v FROM {name(source.db_table)}) d"
            f" WHERE d.v IS NOT NULL AND NOT EXISTS"
            f" (SELECT 1 FROM {name(target.db_table)} t WHERE t.{other} = d.v) LIMIT {_SHOWN}"
        )
        for (missing,) in cursor.fetchall():
            cursor.execute(
                f"SELECT {key} FROM {name(source.db_table)} WHERE {column} = %s LIMIT {_SHOWN}",
                [missing],
            )
            for (row_id,) in cursor.fetchall():
                where = f"{source.model_name} {_shown(source.pk, row_id)}"
                report.add(where, f"refers to {target.model_name} {_shown(target.pk, missing)}, which is missing")


def _shown(key: Any, value: Any) -> str:
    """Return a key in its usual form, since SQLite stores UUIDs without dashes."""
    try:
        return str(key.to_python(value))
    except ValidationError:
        return str(value)
