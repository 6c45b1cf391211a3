"""What writers answered when they were asked before sending: how often they called it a mistake of the detector.

It says something about the rules, so it is counted by rule, never by person.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_contact_guard.policy.decision import OverrideCode
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.quality.intervals import Share

_PAGE = 500
_MISTAKE = f"override.{OverrideCode.MISTAKE}"


@dataclass(frozen=True)
class Answered:
    """How many of the answers to one rule were "a mistake of the detector"."""

    rule: str
    mistakes: Share


def answered(*, since: datetime | None, tenant: str | None) -> list[Answered]:
    """Return the answers by rule, most mistakes first. Emergencies are no answer to a rule."""
    kinds = [f"override.{code}" for code in OverrideCode if code is not OverrideCode.EMERGENCY]
    rows = Event.objects.filter(kind__in=kinds, message__isnull=False).order_by("pk")
    rows = rows.filter(recorded_at__gte=since) if since is not None else rows
    rows = rows.filter(tenant=tenant) if tenant is not None else rows
    whole: Counter[str] = Counter()
    mistakes: Counter[str] = Counter()
    after = None
    while True:
        page = list((rows if after is None else rows.filter(pk__gt=after)).values_list("pk", "message", "kind")[:_PAGE])
        rules = _rules({message for _pk, message, _kind in page})
        for _pk, message, kind in page:
            for rule in rules.get(message, ()):
                whole[rule] += 1
                mistakes[rule] += kind == _MISTAKE
        if len(page) < _PAGE:
            break
        after = page[-1][0]
    found = [Answered(rule, Share(mistakes[rule], times)) for rule, times in whole.items()]
    return sorted(found, key=lambda one: (-one.mistakes.part, -one.mistakes.whole, one.rule))


def _rules(messages: set[UUID]) -> dict[UUID, set[str]]:
    """Return the rules that applied to each message."""
    decisions = Event.objects.filter(message__in=messages, kind__startswith="decision.")
    found: dict[UUID, set[str]] = {}
    for message, data in decisions.values_list("message", "data"):
        found.setdefault(message, set()).update(json.loads(data).get("rules", ()))
    return found
