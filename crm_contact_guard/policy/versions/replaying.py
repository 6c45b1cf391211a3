"""Replays an old decision with the rules that were in force, from what the record keeps of it: never from the text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from crm_contact_guard.policy import rulebook
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.presets.rule_names import Evidence
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.record.models import Event


class NotReplayable(ValueError):
    """The event is no decision, or its version is missing. The message says which."""


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """A recorded decision, and what its rules say now: the same action by the same rules, if nothing was altered."""

    version: str
    recorded: Action
    recorded_rules: tuple[str, ...]
    action: Action
    rules: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        return (self.recorded, self.recorded_rules) == (self.action, self.rules)


def replay(event: Event) -> Replayed:
    """Replay the decision that an event records. Raise NotReplayable."""
    data: dict[str, Any] = json.loads(event.data)
    if not event.kind.startswith("decision.") or "policy" not in data:
        raise NotReplayable(f"Event {event.pk} records no decision that names its version")
    digest = str(data["policy"])
    row = PolicyVersion.objects.filter(tenant=event.tenant, digest=digest).first()
    if row is None or sha256(row.text.encode()).hexdigest() != digest:
        raise NotReplayable(f"Version {digest} is missing or altered")
    applied = rulebook.from_text(row.text).apply(
        [Evidence(**one) for one in data["evidence"]],
        after_hours=bool(data["after_hours"]),
        quiet_hours=bool(data["quiet_hours"]),
    )
    return Replayed(
        version=digest,
        recorded=Action(data["decision"]),
        recorded_rules=tuple(data["rules"]),
        action=rulebook.strictest(applied),
        rules=tuple(one.rule for one in applied),
    )
