"""Declares how the columns of alerts, findings and inspections follow from recorded events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crm_contact_guard.record.following import (
    BySubject,
    Checked,
    Elsewhere,
    Entry,
    Follows,
    Life,
    Recorded,
    Row,
    follows,
)
from crm_contact_guard.supervision import (
    alert_notices,  # noqa: F401 - registers its topics
    noticed_before,
)
from crm_contact_guard.supervision.models import Alert, Finding, Inspection

KEY: Final = Elsewhere("the events that made the row name it")
RECORDED: Final = Recorded()
REOPENED: Final = ("alert.reopened", "alert.recurred")


def _comment(row: Row, life: Life) -> object | None:
    """Compare the comment with the reason in the newest ``alert.closed`` event. An open alert has none.

    An erasure empties the event before the row, so a comment is accepted if the event has been erased.
    """
    closed = life.last("alert.closed", *REOPENED)
    if closed is None or closed.kind != "alert.closed":
        return None if row["comment"] == "" else "no comment while it is open"
    if closed.erased:
        return None
    wanted = closed.reason or ""
    return None if row["comment"] == wanted else "what was recorded when it was closed"


def _alert_before(event: Entry) -> Mapping[str, Any]:
    """Return the columns of an alert that an event recorded by a version before 1.0 contains."""
    data = event.data
    match event.kind:
        case "alert.opened":
            named = {"topic": "topic", "by": "by", "stance": "stance", "at_message": "at_message_id"}
            told = {column: data[name] for name, column in named.items() if name in data}
            return told | {"status": "open", **({"addressee_id": data["addressee"]} if "addressee" in data else {})}
        case "alert.claimed":
            return {"status": "claimed", "claimed_by_id": event.actor}
        case "alert.closed":
            return {"status": "closed", "resolution": data.get("resolution"), "closed_by_id": event.actor or None}
        case "alert.addressed":
            return {"addressee_id": data.get("addressee")}
        case "alert.reopened":
            return {"status": "open", "resolution": ""}
    return {}


follows(
    Follows(
        model=Alert,
        events=BySubject(
            subject="alert",
            born=("alert.opened",),
            more=(
                "alert.extended",
                "alert.credited",
                "alert.claimed",
                "alert.released",
                "alert.assigned",
                "alert.escalated",
                "alert.reminded",
                "alert.snoozed",
                "alert.deferred",
                "alert.woken",
                "alert.closed",
                *REOPENED,
                "alert.addressed",
            ),
        ),
        earlier=_alert_before,
        columns={
            "id": KEY,
            "tenant": RECORDED,
            "conversation_id": RECORDED,
            "team_id": RECORDED,
            "addressee_id": RECORDED,
            "concerned_id": RECORDED,
            "topic": RECORDED,
            "kind": RECORDED,
            "by": RECORDED,
            "stance": RECORDED,
            "severity": RECORDED,
            "status": RECORDED,
            "resolution": RECORDED,
            "comment": Checked("the reason recorded when it was closed; not compared after an erasure", _comment),
            "claimed_by_id": RECORDED,
            "claimed_at": RECORDED,
            "snoozed_until": RECORDED,
            "closed_by_id": RECORDED,
            "opened_at": RECORDED,
            "updated_at": RECORDED,
            "closed_at": RECORDED,
            "due_at": RECORDED,
            "next_step_at": RECORDED,
            "overdue_steps": RECORDED,
            "window_ends_at": RECORDED,
            "fingerprint": RECORDED,
            "story": RECORDED,
            "reasons": RECORDED,
            "times": RECORDED,
            "declined": RECORDED,
            "at_message_id": RECORDED,
        },
    )
)

follows(
    Follows(
        model=Finding,
        events=BySubject(subject="finding", born=("finding.made",), more=("finding.joined",), is_new=True),
        whole=noticed_before.faults,
        columns={
            "id": KEY,
            "message_id": RECORDED,
            "alert_id": RECORDED,
            "kind": RECORDED,
            "place": RECORDED,
            "start": RECORDED,
            "end": RECORDED,
            "score": Recorded("the newest event that carries it, to four decimals"),
            "detector": RECORDED,
            "version": RECORDED,
            "stance": RECORDED,
            "by": RECORDED,
            "created_at": RECORDED,
        },
    )
)

follows(
    Follows(
        model=Inspection,
        events=BySubject(subject="message", born=("message.inspected",), is_new=True),
        columns={
            "message_id": KEY,
            "stance": RECORDED,
            "score": Recorded("the newest event that carries it, to four decimals"),
            "version": RECORDED,
            "inspected_at": RECORDED,
        },
    )
)
from crm_contact_guard.supervision.consulting import follows as consulting_follows  # noqa: E402, F401 - registers its tables
from crm_contact_guard.supervision.own_view import follows as own_view_follows  # noqa: E402, F401 - registers its table
from crm_contact_guard.supervision.quality import follows as quality_follows  # noqa: E402, F401 - registers its tables
from crm_contact_guard.supervision.queue_views import follows as queue_views_follows  # noqa: E402, F401 - registers its table
from crm_contact_guard.supervision.rehearsing import follows as rehearsing_follows  # noqa: E402, F401 - registers its table
from crm_contact_guard.supervision.standing_in import telling as standing_in_telling  # noqa: E402, F401 - registers the topic of notices
from crm_contact_guard.supervision.unsigned import telling as unsigned_telling  # noqa: E402, F401 - registers the topic of notices
from crm_contact_guard.supervision.urgent import telling  # noqa: E402, F401 - registers the topic of notices
from crm_contact_guard.supervision.watching import follows as watching_follows  # noqa: E402, F401 - registers its table
