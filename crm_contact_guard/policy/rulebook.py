"""The rules that are in force: actions, thresholds, review share and outcomes, with the digest that names them.

A rulebook is complete in itself. An old decision can be replayed with its rulebook, whatever the settings are now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any, NamedTuple, Self

from crm_contact_guard.conf import settings
from crm_contact_guard.detection.decision import ALERT, NOTICED
from crm_contact_guard.detection.types import Direction, Kind, Scan
from crm_contact_guard.policy import presets, thresholds
from crm_contact_guard.policy.actions import Action, strictness
from crm_contact_guard.policy.presets.rule_names import (
    AFTER_HOURS,
    ATTEMPT,
    ATTEMPT_KINDS,
    OTHER_KINDS,
    QUIET_HOURS,
    Evidence,
    deciding,
)
from crm_contact_guard.policy.presets.shapes import Outcome
from crm_contact_guard.policy.thresholds import Thresholds
from crm_contact_guard.proof.canonical import canonical_json

#: A harassment finding below this score is noticed without an alert, and no rule applies to it.
HARASSMENT_ALERT = 0.5


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule that applied to a message: its name, its action, and the evidence (empty for rules on time)."""

    rule: str
    action: Action
    kind: str = ""
    stance: str = ""
    by: str = ""

    @property
    def reason(self) -> str:
        """The base of the rule's name, such as ``attempt``."""
        return self.rule.partition(".")[0]


class SilentRule(NamedTuple):
    """A detector in one version and one script (as in ``quality.scripts``) whose findings raise no alerts."""

    detector: str
    version: str
    script: str


@dataclass(frozen=True)
class Rulebook:
    """The rules of one version. ``thresholds`` by direction; ``outcomes`` by kind, with their names by language.

    ``silent``: rules of detection that proved wrong so often that their findings are only noticed.
    """

    industry: str
    rules: Mapping[str, Action]
    thresholds: Mapping[Direction, Thresholds]
    review_share: float
    outcomes: tuple[Outcome, ...]
    silent: tuple[SilentRule, ...] = ()

    @cached_property
    def text(self) -> str:
        """The rulebook as canonical JSON (RFC 8785)."""
        return canonical_json(
            {
                "industry": self.industry,
                "rules": {name: action.value for name, action in self.rules.items()},
                "thresholds": {
                    direction.value: {name: f"{score:.4f}" for name, score in one._asdict().items()}
                    for direction, one in self.thresholds.items()
                },
                "review_share": f"{self.review_share:.4f}",
                "outcomes": [{"kind": outcome.kind, "label": dict(outcome.label)} for outcome in self.outcomes],
                # Left out if empty, so that earlier versions keep their digests.
                **({"silent": [list(rule) for rule in self.silent]} if self.silent else {}),
            }
        )

    @cached_property
    def digest(self) -> str:
        """The SHA-256 hash of ``text``, in hexadecimal: the version's ID on every machine."""
        return sha256(self.text.encode()).hexdigest()

    def with_silent(self, rules: tuple[SilentRule, ...]) -> Self:
        """Return the rulebook with other silent rules."""
        return replace(self, silent=rules)

    def apply(self, evidence: Iterable[Evidence], *, after_hours: bool, quiet_hours: bool) -> tuple[Applied, ...]:
        """Return the rules that apply, one for each piece of evidence and each objection to the time."""
        found = []
        for one in evidence:
            name = deciding(self.rules, one)
            if name is not None:
                found.append(Applied(name, self.rules[name], one.kind or one.base, one.stance, one.by))
        times = ((AFTER_HOURS, after_hours), (QUIET_HOURS, quiet_hours))
        found += [Applied(name, self.rules[name]) for name, applies in times if applies and name in self.rules]
        return tuple(dict.fromkeys(found))


def strictest(applied: Iterable[Applied]) -> Action:
    """Return the strictest action that a rule requires."""
    return max((one.action for one in applied), key=strictness, default=Action.DELIVER)


def evidence_of(scan: Scan) -> list[Evidence]:
    """Return what the rules on content are applied to: the attempt, and findings of other kinds.

    A text that could not be read is no evidence for a rule. Its inspection reports it to a person.
    """
    by = str(scan.by or "employee")
    kinds = dict.fromkeys(finding.kind for finding in scan.findings)
    found = []
    if scan.attempt:
        attempts = [kind.value for kind in kinds if kind in ATTEMPT_KINDS] or [""]
        found += [Evidence(ATTEMPT, kind, scan.stance.value, by) for kind in attempts]
    sure = {f.kind for f in scan.findings if f.kind is not Kind.HARASSMENT or f.score >= HARASSMENT_ALERT}
    return found + [Evidence(kind.value) for kind in kinds if kind in OTHER_KINDS and kind in sure]


def from_settings() -> Rulebook:
    """Return the rulebook of the industry's preset and the settings. Raise ConfigurationError."""
    preset = presets.chosen()
    return Rulebook(
        industry=preset.name,
        rules=presets.rules(),
        thresholds=thresholds.thresholds(Thresholds(ALERT, NOTICED)),
        review_share=preset.review_share if settings.REVIEW_SHARE is None else float(settings.REVIEW_SHARE),
        outcomes=preset.outcomes,
    )


def from_preset(industry: str) -> Rulebook:
    """Return the rulebook of an industry's preset, without the company's own settings. Raise ConfigurationError."""
    preset = presets.preset(industry)
    return Rulebook(
        industry=preset.name,
        rules=preset.rules,
        thresholds=thresholds.of_sensitivity(Thresholds(ALERT, NOTICED), preset.sensitivity),
        review_share=preset.review_share,
        outcomes=preset.outcomes,
    )


@lru_cache(maxsize=64)
def from_text(text: str) -> Rulebook:
    """Return the rulebook that a recorded version contains."""
    data: dict[str, Any] = json.loads(text)
    return Rulebook(
        industry=data["industry"],
        rules={name: Action(word) for name, word in data["rules"].items()},
        thresholds={
            Direction(direction): Thresholds(**{name: float(score) for name, score in one.items()})
            for direction, one in data["thresholds"].items()
        },
        review_share=float(data["review_share"]),
        outcomes=tuple(Outcome(**row) for row in data["outcomes"]),
        silent=tuple(SilentRule(*rule) for rule in data.get("silent", ())),
    )


def as_data(evidence: Evidence) -> dict[str, str]:
    """Return a piece of evidence as the record keeps it."""
    return asdict(evidence)
