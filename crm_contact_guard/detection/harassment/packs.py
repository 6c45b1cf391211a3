"""Reads and compiles packs of patterns with a category and a score, and the guards that cancel a hit.

A pack (``packs/harassment_<language>.toml``, ``packs/private_topic_<language>.toml``) has ``slots`` (lists of words
that replace ``{slot}`` in a pattern), ``guards`` (text before or after a hit that marks it as reported speech) and
patterns, each with ``hits`` and ``misses`` that serve as tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import re2

from crm_contact_guard.detection.packs import read
from crm_contact_guard.detection.text.sets import options, set_of

LANGUAGES = ("ja", "en")
HARASSMENT = "harassment"
SET_MEMORY = 96 << 20
_PATTERN_MEMORY = 16 << 20


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern.

    ``id`` is ``<family>.<category>.<language>.<name>``, ``score`` the probability (0…1) that a single hit gives.
    ``unless`` cancels the hit if it matches in the same sentence.
    """

    id: str
    category: str
    score: float
    expression: str
    compiled: Any
    unless: Any | None
    guards: Guards
    version: str
    hits: tuple[str, ...]
    misses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guards:
    """Expressions for the part of the sentence before a hit (anchored at its end) and after it (anchored at its start).

    ``own`` applies to insults only: "I'm such an idiot" is not harassment, whereas a threat may begin with "I".
    Each guard is a Set, which takes a third of the time of a single expression to find out whether anything matches.
    """

    own: Any
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Packs:
    """All patterns, and the Sets that match them together, each with the number of its first pattern.

    There is one Set per language. A shared automaton would need a state for each combination of the two languages'
    states, would be rebuilt during every other text, and would take three times as long.
    """

    patterns: tuple[Pattern, ...]
    sets: tuple[tuple[int, Any], ...] = field(repr=False)

    def matching(self, text: str) -> list[int]:
        """Return the numbers of the patterns that match a folded text, in ascending order."""
        matches = [first + index for first, expressions in self.sets for index in expressions.Match(text) or ()]
        return sorted(matches) if matches else matches


def compile_bounded(expression: str) -> Any:
    """Compile with RE2, without logging and with bounded memory. Raises ``re2.error`` for unsupported syntax."""
    return re2.compile(expression, options(_PATTERN_MEMORY))


def read_patterns(language: str, family: str = HARASSMENT) -> tuple[Pattern, ...]:
    """Return the patterns of ``<family>_<language>.toml``, in file order. Raises ``KeyError`` or ``re2.error``."""
    raw = read(f"{family}_{language}")
    slots = {f"{{{name}}}": f"(?:{'|'.join(words)})" for name, words in raw["slots"].items()}

    def expand(expression: str) -> str:
        for name, words in slots.items():
            expression = expression.replace(name, words)
        return expression

    guards = Guards(*(set_of(raw["guards"][side], _PATTERN_MEMORY) for side in ("self", "before", "after")))
    return tuple(
        Pattern(
            id=f"{family}.{entry['category']}.{raw['language']}.{entry['id']}",
            category=entry["category"],
            score=float(entry["score"]),
            expression=(expression := expand(entry["pattern"])),
            compiled=compile_bounded(expression),
            unless=compile_bounded(expand(entry["unless"])) if "unless" in entry else None,
            guards=guards,
            version=raw["version"],
            hits=tuple(entry["hits"]),
            misses=tuple(entry["misses"]),
        )
        for entry in raw["pattern"]
    )


@cache
def packs(family: str = HARASSMENT) -> Packs:
    """Return the packs of a family, which are compiled on first use."""
    patterns: tuple[Pattern, ...] = ()
    sets = []
    for language in LANGUAGES:
        own = read_patterns(language, family)
        sets.append((len(patterns), set_of((pattern.expression for pattern in own), SET_MEMORY)))
        patterns += own
    return Packs(patterns, tuple(sets))
