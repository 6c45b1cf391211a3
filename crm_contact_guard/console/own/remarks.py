"""What an employee said about an alert, for the employee's and the reviewer's page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.own_view.remarks import words
from crm_contact_guard.supervision.watching.pseudonyms import Veil


@dataclass(frozen=True)
class Remark:
    row: FlagRemark
    text: str
    answer: str


def remarks_of(row: Alert, hidden: Veil | None = None) -> list[Remark]:
    """Return what the employee said about an alert, and the answers, oldest first. ``hidden`` hides names in them."""
    rows = list(FlagRemark.objects.filter(alert=row).select_related("answered_by").order_by("made_at", "pk"))
    said = words(rows)
    hide: Callable[[str], str] = hidden.text if hidden is not None else str
    return [Remark(one, *map(hide, said[one.pk])) for one in rows]
