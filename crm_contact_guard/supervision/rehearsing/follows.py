"""Rules for comparing trials of rules with the record."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from crm_contact_guard.record.following import (
    BySubject,
    Checked,
    Elsewhere,
    Follows,
    Life,
    Recorded,
    Row,
    Unproven,
    follows,
    not_after,
)
from crm_contact_guard.supervision.rehearsing.models import RuleTrial
from crm_contact_guard.supervision.rehearsing.trials import LEASE, TRIES

_PROGRESS: Final = Unproven("what a running trial has found so far; at the end, the results are recorded")


def _text(row: Row, _life: Life) -> object | None:
    wanted = row["digest"]
    return None if sha256(row["text"].encode()).hexdigest() == wanted else f"the rules with SHA-256 {wanted}"


follows(
    Follows(
        model=RuleTrial,
        events=BySubject(
            subject="rule_trial",
            born=("rule_trial.started",),
            more=("rule_trial.finished", "rule_trial.cancelled", "rule_trial.failed"),
            is_new=True,
        ),
        columns={
            "id": Elsewhere("the events that made the row name it"),
            "tenant": Recorded(),
            "digest": Recorded(),
            "text": Checked("SHA-256 is `digest`", _text),
            "since": Recorded(),
            "until": Recorded(),
            "state": Recorded(),
            "author_id": Recorded(),
            "created_at": Recorded(),
            "finished_at": Recorded(),
            "result": Recorded(says="SHA-256 in the newest event", secret=True),
            "progress": _PROGRESS,
            "lease_until": not_after("lease_until", LEASE, "at most the lease from now"),
            "tries": Checked(
                "at most the number of attempts",
                lambda row, _life: None if 0 <= row["tries"] <= TRIES else f"at most {TRIES}",
            ),
        },
    )
)
