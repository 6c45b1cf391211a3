"""Declares how the columns of notices and preferences follow from recorded events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from crm_contact_guard.notices import failures, testing  # noqa: F401 - register their topics
from crm_contact_guard.notices.models import EMAIL, Notice, NoticePreference
from crm_contact_guard.record.following import BySubject, Elsewhere, Follows, Life, Recorded, Row, follows, made_at

KEY: Final = Elsewhere("the events that made the row name it")
RECORDED: Final = Recorded()


def _before(column: str, expected: Callable[[Life], Any]) -> Recorded:
    """Declare a column that events of the versions with only emails about alerts don't contain.

    ``expected`` returns what such a notice must have; None if its events don't say it.
    """

    def check(row: Row, life: Life) -> object | None:
        wanted = expected(life)
        return None if wanted is None or row[column] == wanted else wanted

    return Recorded(otherwise=check)


def _made(row: Row) -> datetime:
    """Return when the notice was created, or, for one of an earlier version, when its alert was."""
    if isinstance(row["created_at"], datetime):
        return row["created_at"]
    try:
        return made_at(UUID(row["subject_id"]))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


follows(
    Follows(
        model=Notice,
        events=BySubject(
            subject="notice",
            born=("notice.queued",),
            more=(
                "notice.attempted",
                "notice.sent",
                "notice.failed",
                "notice.due",
                "notice.collected",
                "notice.dropped",
                "notice.read",
            ),
            gone=("notice.cancelled",),
            is_new=True,
        ),
        since=_made,
        columns={
            "id": KEY,
            "recipient": _before("recipient", lambda life: life.open.get("employee_id")),
            "employee_id": RECORDED,
            "topic": _before("topic", lambda _life: "alert"),
            "subject_type": _before("subject_type", lambda _life: "alert"),
            "subject_id": _before("subject_id", lambda life: life.open.get("alert_id")),
            "conversation_id": RECORDED,
            "way": _before("way", lambda life: life.open.get("channel", EMAIL)),
            "digest_id": RECORDED,
            "state": RECORDED,
            "attempts": RECORDED,
            "created_at": RECORDED,
            "due_at": RECORDED,
            "lease_until": RECORDED,
            "last_error": Recorded(personal=True),
            "sent_at": RECORDED,
            "read_at": RECORDED,
        },
    )
)

follows(
    Follows(
        model=NoticePreference,
        events=BySubject(
            subject="notice_preference", born=("notice_preference.made",), more=("notice_preference.set",)
        ),
        columns={
            "id": KEY,
            "employee_id": RECORDED,
            "topic": RECORDED,
            "cadence": RECORDED,
            "way": RECORDED,
            "quiet": RECORDED,
            "count": RECORDED,
            "minutes": RECORDED,
        },
    )
)
