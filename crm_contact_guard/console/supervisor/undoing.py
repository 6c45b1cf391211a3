"""What the viewer has just closed and can take back, as the address of a page tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.supervision.handling.bulk import closed_in
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import may_undo
from crm_contact_guard.supervision.watching.pseudonyms import veil


@dataclass(frozen=True)
class Done:
    """Alerts that the viewer has just closed, and how to take that back: one alert, or those of a batch."""

    count: int
    alert: Alert | None = None
    batch: str = ""
    changed: int = 0


def done_of(viewer: Employee, given: Mapping[str, str]) -> Done | None:
    """Return what the parameters ``done`` (an alert) or ``batch`` name, if the viewer can take it back."""
    try:
        if given.get("batch"):
            batch = str(UUID(given["batch"]))
            count = len(closed_in(batch, viewer))
            return Done(count=count, batch=batch) if count else None
        key = UUID(given.get("done", ""))
    except ValueError:
        return None
    rows = permissions.alerts(viewer).select_related("conversation__customer", "conversation__employee", "concerned")
    row = rows.filter(pk=key).first()
    if row is None or not may_undo(row, viewer):
        return None
    veil(viewer, [row])
    return Done(count=1, alert=row)
