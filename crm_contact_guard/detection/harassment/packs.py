"""Packs of patterns with a category and a weight, read and compiled, and the guards that call hits off.

A pack (``packs/harassment_<language>.toml``, ``packs/private_topic_<language>.toml``) has ``slots`` (lists of words, put where a pattern names ``{slot}``),
``guards`` (what stands before or after a hit that is only told of) and patterns, each with ``hits`` and ``misses``
that are tests.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import re2

from crm_contact_guard.detection.text.sets import options, set_of

LANGUAGES = ("ja", "en")
HARASSMENT = "harassment"
SET_MEMORY = 96 << 20
_PATTERN_MEMORY = 16 << 20


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern: ``id`` is ``<family>.<category>.<language>.<name>``, ``score`` is how sure a single hit makes, ``unless`` what in the same sentence explains it away."""

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
    """Expressions sought in the sentence before a hit (anchored at its end) and after it (anchored at its start).

    ``own`` belong to insults alone ("I'm such an idiot"): said of oneself they are none, while a threat begins with "I".
    Each is a Set: whether one of them stands is all that is asked, and a Set says so in a third of the time.
    """

    own: Any
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Packs:
    """All patterns, and the Sets in which they are sought together, each with the number of its first pattern.

    A Set for each language: in one for all, the automaton has a state for each combination of both, is built anew in the
    midst of every other text, and takes three times as long.
    """

    patterns: tuple[Pattern, ...]
    sets: tuple[tuple[int, Any], ...] = field(repr=False)

    def matching(self, text: str) -> list[int]:
        """Numbers of the patterns that stand in a folded text, in order."""
        found = [first + index for first, together in self.sets for index in together.Match(text) or ()]
        return sorted(found) if found else found


def compile_bounded(expression: str) -> Any:
    """Compile with re2, silently and within a fixed memory; raises ``re2.error`` for what can't run in linear time."""
    return re2.compile(expression, options(_PATTERN_MEMORY))


def read_patterns(language: str, family: str = HARASSMENT) -> tuple[Pattern, ...]:
    """Patterns of the pack ``<family>_<language>.toml``, in its order. Raises ``KeyError`` or ``re2.error`` when the file is wrong."""
    raw = tomllib.loads(
        (files("crm_contact_guard.detection") / "packs" / f"{family}_{language}.toml").read_text("utf-8")
    )
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
    """The compiled packs of a family, made at first use."""
    patterns: tuple[Pattern, ...] = ()
    sets = []
    for language in LANGUAGES:
        read = read_patterns(language, family)
        sets.append((len(patterns), set_of((pattern.expression for pattern in read), SET_MEMORY)))
        patterns += read
    return Packs(patterns, tuple(sets))
