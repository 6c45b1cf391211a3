"""Record when an installation was upgraded from a version whose events contained no rows.

Rows from before the upgrade can't be compared with events that were never recorded. Without the event recorded here,
every row must have its events. Nobody can add this event later unnoticed.
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
#: Kind of the first event in every record that a later version began.
_SINCE: Final = "conversation.opened"
#: How long code of the earlier version may still write after the upgrade.
_ROLLING: Final = timedelta(hours=1)


def earlier_until(using: str) -> datetime | None:
    """Return the time before which rows may lack events; None if no earlier version wrote to the record."""
    marks = Event.objects.using(using).filter(kind=UPGRADED).order_by("recorded_at")
    first = marks.values_list("recorded_at", flat=True).first()
    return first + _ROLLING if first is not None else None


def mark(using: str) -> None:
    """Record the upgrade once, after the migration. Do nothing in a new installation."""
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
