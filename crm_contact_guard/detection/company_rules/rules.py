"""A company's own words and rules in a TOML or JSON file, with commands to check it and try it on past messages.

The keys of the file are the fields of ``types.Company``::

    version = "2026-11-24"
    domains = ["minato.example"]              # allow-lists: the company's own contacts
    handles = ["minato_official"]

    [own_words]                               # literal words, by the kind of finding
    side_deal = ["裏メニュー"]

    [[rules]]                                 # patterns (RE2 syntax) on the folded text: lower case, plain digits
    id = "club_card"
    kind = "contact_request"
    direction = "inbound"                     # optional: only what the customer writes
    score = 0.8                               # optional
    pattern = 'club card.{0,20}(?:yours|your own)'
    unless = 'lost|expired'                   # optional: if this matches too, the rule does not apply
    hits = ["Is that club card your own?"]    # tested by lint
    misses = ["My club card expired."]

``__main__`` contains the commands that check a file and try it on past messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import re2

from crm_contact_guard.detection.company_rules.file import CompanyFileError, read_company
from crm_contact_guard.detection.company_rules.lint import compile_rule, lint
from crm_contact_guard.detection.text import sets
from crm_contact_guard.detection.text.normalise import Normalised, normalise
from crm_contact_guard.detection.types import Company, CompanyRule, Direction, Finding, Kind, Stance

#: Kinds that make a finding of a company's own rules an attempt to leave its channels.
ATTEMPTS = frozenset({Kind.CONTACT_IDENTIFIER, Kind.CONTACT_REQUEST, Kind.PRIVATE_MEETING, Kind.SIDE_DEAL})
PREFIX = "company."
WORD_SCORE = 0.8
MAX_FINDINGS = 50
_PER_RULE = 5


@dataclass(frozen=True, slots=True)
class DryHit:
    """A hit of a dry run: the number of the message (from 0), the detector, and the span and text that matched."""

    number: int
    detector: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Compiled:
    detector: str
    kind: Kind
    direction: Direction | None
    score: float
    pattern: Any
    unless: Any | None


def load(path: str | Path) -> Company:
    """Check and load a company file. Raises ``CompanyFileError``, which lists every invalid line."""
    problems = lint(path)
    if problems:
        raise CompanyFileError(f"{path}: " + "; ".join(str(problem) for problem in problems))
    return read_company(str(path))


def find(normalised: Normalised, direction: Direction, company: Company) -> Iterable[Finding]:
    """Return the findings of the company's own words and rules, at most ``MAX_FINDINGS``.

    Each rule takes time linear in the text.
    """
    if not company.rules and not company.own_words:
        return []
    text = normalised.text
    findings: list[Finding] = []
    for rule in _compiled(company.rules, tuple((kind, tuple(words)) for kind, words in company.own_words.items())):
        if rule.direction not in (None, direction):
            continue
        if rule.unless is not None and rule.unless.search(text):
            continue
        for count, match in enumerate(rule.pattern.finditer(text)):
            if count >= _PER_RULE or len(findings) >= MAX_FINDINGS:
                break
            if match.end() > match.start():
                low, high = normalised.span(*match.span())
                findings.append(
                    Finding(rule.kind, low, high, rule.score, rule.detector, company.version, technique="company_rule")
                )
    return findings


def attempt_stance(findings: Iterable[Finding], direction: Direction) -> Stance | None:
    """Return the stance implied by the company's own rules: ask for a customer, offer for an employee.

    Return ``None`` if the findings contain no attempt.
    """
    if any(finding.detector.startswith(PREFIX) and finding.kind in ATTEMPTS for finding in findings):
        return Stance.ASK if direction is Direction.INBOUND else Stance.OFFER
    return None


def dry_run(rules: Company, texts: Iterable[tuple[Direction, str]]) -> list[DryHit]:
    """Return the hits of the words and rules in past messages, in the order of the messages. Nothing is recorded."""
    return [
        DryHit(number, finding.detector, finding.start, finding.end, text[finding.start : finding.end])
        for number, (direction, text) in enumerate(texts)
        for finding in find(normalise(text), direction, rules)
    ]


@lru_cache(maxsize=64)
def _compiled(rules: tuple[CompanyRule, ...], words: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[_Compiled, ...]:
    compiled = [
        _Compiled(
            f"{PREFIX}{rule.id}",
            Kind(rule.kind),
            None if rule.direction is None else Direction(rule.direction),
            rule.score,
            compile_rule(rule.pattern),
            None if rule.unless is None else compile_rule(rule.unless),
        )
        for rule in rules
    ]
    for kind, kind_words in words:
        folded = sorted({normalise(word).text.strip() for word in kind_words} - {""}, key=len, reverse=True)
        if folded:
            # One pattern for all words of a kind, so that the cost does not grow with their number.
            compiled.append(_Compiled(f"{PREFIX}words.{kind}", Kind(kind), None, WORD_SCORE, _any_of(folded), None))
    return tuple(compiled)


def _any_of(words: list[str]) -> Any:
    parts = []
    for word in words:
        boundary_before = r"\b" if word[0].isascii() and word[0].isalnum() else ""
        boundary_after = r"\b" if word[-1].isascii() and word[-1].isalnum() else ""
        parts.append(f"{boundary_before}{re2.escape(word)}{boundary_after}")
    return re2.compile("|".join(parts), sets.options(64 << 20))
