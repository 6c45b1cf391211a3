"""Declares how questions to the second reader, and their answers, follow from recorded events."""

from __future__ import annotations

from typing import Final

from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.record.following import BySubject, Elsewhere, Follows, Recorded, follows

#: Events carry scores rounded to four decimals.
_ROUNDED: Final = Recorded("the newest event that carries it, to four decimals")

follows(
    Follows(
        model=ReaderAnswer,
        events=BySubject(
            subject="reading",
            born=("reader.asked",),
            more=("reader.attempted", "reader.answered", "reader.failed"),
            is_new=True,
        ),
        columns={
            "id": Elsewhere("the events that made the row name it"),
            "message_id": Recorded(),
            "alert_id": Recorded(),
            "first_tier": Recorded(),
            "by": Recorded(),
            "score": _ROUNDED,
            "state": Recorded(),
            "attempts": Recorded(),
            "deadline": Recorded(),
            "lease_until": Recorded(),
            "created_at": Recorded(),
            "asked_at": Recorded(),
            "answered_at": Recorded(),
            "model": Recorded(),
            "prompt_version": Recorded(),
            "request_digest": Recorded(),
            "answer_digest": Recorded(),
            "attempt": Recorded(),
            "attempt_by": Recorded(),
            "attempt_at_id": Recorded(),
            "why": Recorded(
                "SHA-256 in the newest event; emptied without an event where a message that it draws on is erased",
                personal=True,
                secret=True,
                emptied=True,
            ),
            "tier": Recorded(),
            "outcome": Recorded(),
            "error": Recorded(),
        },
    )
)
