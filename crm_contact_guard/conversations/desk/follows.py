"""How the columns of drafts and presences follow from the record: they don't, and nothing depends on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from crm_contact_guard.conversations.desk.models import Draft, Presence
from crm_contact_guard.record.following import Follows, Unproven, follows, not_after

_NOTHING: Final = Unproven("a draft is nobody's message: only its writer sees it, and it is judged when it is sent")
_SECONDS: Final = "not in the future: what it shows lasts for seconds and is not recorded"

follows(
    Follows(
        model=Draft,
        columns={
            "id": Unproven("a number that nothing refers to"),
            "conversation_id": _NOTHING,
            "employee_id": _NOTHING,
            "text": _NOTHING,
            "updated_at": not_after("updated_at", timedelta(0), "not in the future"),
        },
        deleted="only the writer misses it",
        added="it is judged and recorded when somebody sends it",
    )
)
follows(
    Follows(
        model=Presence,
        columns={
            "id": Unproven("a number that nothing refers to"),
            "conversation_id": Unproven("what it shows lasts for seconds"),
            "employee_id": Unproven("what it shows lasts for seconds"),
            "seen_at": not_after("seen_at", timedelta(0), _SECONDS),
            "typing_at": not_after("typing_at", timedelta(0), _SECONDS),
        },
        deleted="the next look at the conversation makes it again",
        added="what it shows lasts for seconds",
    )
)
