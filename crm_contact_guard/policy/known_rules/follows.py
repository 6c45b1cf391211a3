"""Rules for comparing published rules, acknowledgements and questions with the record."""

from __future__ import annotations

from crm_contact_guard.policy.known_rules.models import Acknowledgement, RulesQuestion, RulesVersion
from crm_contact_guard.record.following import BySubject, Elsewhere, Follows, Recorded, follows

_KEY = Elsewhere("the events that made the row name it")
_TEXT = Recorded(personal=True)

follows(
    Follows(
        model=RulesVersion,
        events=BySubject(subject="rules", born=("rules.published",)),
        columns={
            "id": _KEY,
            "tenant": Recorded(),
            "number": Recorded(),
            "title": _TEXT,
            "title_ja": _TEXT,
            "text": _TEXT,
            "text_ja": _TEXT,
            "quiz": _TEXT,
            "valid_from": Recorded(),
            "digest": Recorded(),
            "published_by_id": Recorded(),
            "published_at": Recorded(),
        },
    )
)

follows(
    Follows(
        model=Acknowledgement,
        events=BySubject(
            subject="acknowledgement",
            born=("rules.expected",),
            more=("rules.reminded", "rules.quiz_tried", "rules.signed"),
        ),
        columns={
            "id": _KEY,
            "version_id": Recorded(),
            "employee_id": Recorded(),
            "reminders": Recorded(),
            "remind_at": Recorded(),
            "quiz_tries": Recorded(),
            "quiz_passed_at": Recorded(),
            "signed_at": Recorded(),
        },
    )
)

follows(
    Follows(
        model=RulesQuestion,
        events=BySubject(subject="rules_question", born=("rules.asked",), more=("rules.answered",)),
        columns={
            "id": _KEY,
            "tenant": Recorded(),
            "asked_by_id": Recorded(),
            "asked_at": Recorded(),
            "text": _TEXT,
            "answer": _TEXT,
            "answered_by_id": Recorded(),
            "answered_at": Recorded(),
        },
    )
)
