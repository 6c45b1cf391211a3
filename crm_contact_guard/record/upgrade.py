"""Marks in the record when an installation was upgraded from a version whose events carried no rows.

Rows of that time can't be compared with events that were never recorded. Without the mark, every row must have its
events; it is an event, so nobody can set it later without being seen.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import connections

from crm_contact_guard import __version__
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_event

UPGRADED: Final = "record.upgraded"
#: The first event of every record since.
_SINCE: Final = "conversation.opened"
#: Code of the earlier version may write for so long after the upgrade.
_ROLLING: Final = timedelta(hours=1)


def earlier_until(using: str) -> datetime | None:
    """Rows made before this time may lack events that earlier versions did not record; None: no such version wrote."""
    marks = Event.objects.using(using).filter(kind=UPGRADED).order_by("recorded_at")
    first = marks.values_list("recorded_at", flat=True).first()
    return first + _ROLLING if first is not None else None


def mark(using: str) -> None:
    """Record the upgrade once, after the migration; nothing in a new installation."""
    connection = connections[using]
    if using != database.alias() or Event._meta.db_table not in connection.introspection.table_names():
        return
    events = Event.objects.using(using)
    if events.filter(kind__in=(UPGRADED, _SINCE)).exists():
        return
    if events.exists() or Message.objects.using(using).exists():
        record_event(
            kind=UPGRADED,
            subject_type="record",
            subject_id="",
            actor_type=Event.ActorType.SYSTEM,
            data={"version": __version__},
        )
