"""The rules by which API tokens are compared with the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from crm_contact_guard.record.following import (
    BySubject,
    Elsewhere,
    Entry,
    Follows,
    Life,
    Recorded,
    Row,
    follows,
    marked,
    moment,
    not_after,
    plain,
)
from crm_contact_guard.tokens.models import SCOPES, ApiToken, Creation


def _before(event: Entry) -> Mapping[str, Any]:
    """Return the token's columns contained in an event that was recorded by a version before 1.0."""
    return {"employee_id": event.data.get("employee"), "expires_at": plain(moment(event.data.get("expires_at")))}


def _as_before(column: str, value: str) -> Callable[[Row, Life], object | None]:
    """Return the rule for tokens of versions without this column: it has the value for all that there was."""
    return lambda row, _life: None if row[column] == value else value


follows(
    Follows(
        model=ApiToken,
        events=BySubject(subject="token", born=("token.created",), more=("token.revoked",)),
        earlier=_before,
        columns={
            "id": Elsewhere("the events that made the row name it"),
            "employee_id": Recorded(),
            "name": Recorded(personal=True),
            "token_hash": Recorded(secret=True),
            "created_at": Recorded(),
            "expires_at": Recorded(),
            "scopes": Recorded(otherwise=_as_before("scopes", " ".join(SCOPES))),
            "networks": Recorded(otherwise=_as_before("networks", "")),
            "revoked_at": Recorded(otherwise=marked("revoked_at", "token.revoked")),
            "last_used_at": not_after("last_used_at", timedelta(0), "not in the future: each use is not recorded"),
        },
    )
)

follows(
    Follows(
        model=Creation,
        events=BySubject(subject="creation", born=("creation.made",), is_new=True),
        columns={
            "id": Elsewhere("the events that made the row name it"),
            "employee_id": Recorded(),
            "operation": Recorded(),
            "key": Recorded(personal=True),
            "request_digest": Recorded(),
            "created": Recorded(),
            "created_at": Recorded(),
        },
    )
)
