"""Rules for comparing legal holds with the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.record.following import (
    BySubject,
    Elsewhere,
    Entry,
    Follows,
    Recorded,
    follows,
    marked,
    moment,
    plain,
)


def _before(event: Entry) -> Mapping[str, Any]:
    """Return the hold's columns that an event from a version before 1.0 contains."""
    data = event.data
    return {
        "customer_id": data.get("customer"),
        "employee_id": data.get("employee"),
        "case": data.get("case") or "",
        "since": plain(moment(data.get("since"))),
        "until": plain(moment(data.get("until"))),
    }


follows(
    Follows(
        model=LegalHold,
        events=BySubject(subject="hold", born=("hold.placed",), more=("hold.released",)),
        earlier=_before,
        columns={
            "id": Elsewhere("the events that made the row name it"),
            "tenant": Recorded(),
            "name": Recorded(personal=True),
            "customer_id": Recorded(),
            "employee_id": Recorded(),
            "case": Recorded(),
            "since": Recorded(),
            "until": Recorded(),
            "created_at": Recorded(),
            "released_at": Recorded(otherwise=marked("released_at", "hold.released")),
        },
    )
)
