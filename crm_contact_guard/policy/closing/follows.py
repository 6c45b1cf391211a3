"""Rules for comparing automatic answers with the record."""

from __future__ import annotations

from crm_contact_guard.policy.closing.models import AutoAnswer
from crm_contact_guard.record.following import BySubject, Elsewhere, Follows, Recorded, follows

follows(
    Follows(
        model=AutoAnswer,
        events=BySubject(subject="auto_answer", born=("auto_answer.sent",)),
        columns={
            "id": Elsewhere("the events that made the row name it"),
            "conversation_id": Recorded(),
            "period": Recorded(),
            "opens_at": Recorded(),
            "message_id": Recorded(),
            "created_at": Recorded(),
        },
    )
)
