"""A version of the rules, as a compliance officer publishes it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy.known_rules.models import RulesVersion
from crm_contact_guard.policy.known_rules.publishing import rules_publish
from crm_contact_guard.proof.canonical import canonical_json

TEXTS = {
    "title": "Talking to guests",
    "text": "We talk to guests in the company's channels only.\n\nThis protects both sides.",
    "title_ja": "お客様との連絡について",
    "text_ja": "お客様とは会社の連絡手段だけでやり取りします。",
    "quiz": "",
}
#: Of the first version, calculated without the app.
DIGEST = sha256(canonical_json({**TEXTS, "number": 1}).encode()).hexdigest()


def publish(officer: Employee, **more: Any) -> RulesVersion:
    return rules_publish(published_by=officer, **{**TEXTS, **more})


def published(officer: Employee) -> RulesVersion:
    """The first version, published if it isn't yet."""
    return RulesVersion.objects.filter(number=1).first() or publish(officer)
