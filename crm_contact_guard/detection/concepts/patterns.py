"""Patterns of concepts from ``packs/patterns.toml``: what a sentence must contain and what its text must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from crm_contact_guard.detection.concepts.lexicon import Found, lexicon
from crm_contact_guard.detection.packs import read
from crm_contact_guard.detection.text.sentences import sentences_of
from crm_contact_guard.detection.types import Kind

#: The bit of each concept in the masks of the patterns.
_BITS = [1 << concept for concept in range(256)]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern; ``parts`` and ``unless`` are bit masks of concepts."""

    id: str
    kind: Kind
    parts: tuple[int, ...]
    unless: int
    reasons: dict[str, str]
    hits: tuple[str, ...]
    misses: tuple[str, ...]


@lru_cache(maxsize=1)
def patterns() -> tuple[Pattern, ...]:
    """Return all patterns, in the order of the file."""
    index = lexicon().index

    def mask(names: str) -> int:
        return sum(1 << index[name] for name in names.split("|"))

    raw = read("patterns")
    return tuple(
        Pattern(
            entry["id"],
            Kind(entry["kind"]),
            tuple(mask(part) for part in entry["all"]),
            mask("|".join(entry["unless"])),
            {"en": entry["reason_en"], "ja": entry["reason_ja"]},
            tuple(entry["hits"]),
            tuple(entry["misses"]),
        )
        for entry in raw["pattern"]
    )


@lru_cache(maxsize=1)
def version() -> str:
    """Return the version of the file."""
    return str(read("patterns")["version"])


@lru_cache(maxsize=1)
def _denials() -> frozenset[int]:
    """Return the concepts that every pattern excludes with ``unless``."""
    common = -1
    for pattern in patterns():
        common &= pattern.unless
    return frozenset(concept for concept, bit in enumerate(_BITS) if common & bit)


def _meets(parts: tuple[int, ...], mask: int) -> bool:
    for part in parts:  # noqa: SIM110 - a generator takes three times as long, and every scan runs this
        if not mask & part:
            return False
    return True


def matches(text: str, hits: Sequence[Found], concepts: set[int]) -> list[tuple[int, int, int]]:
    """Return (number, start, end) for each matching pattern, with the span of the first sentence that it matches."""
    if not _denials().isdisjoint(concepts):
        return []
    text_mask = sum(map(_BITS.__getitem__, concepts))
    possible = [
        (number, pattern.parts)
        for number, pattern in enumerate(patterns())
        if not text_mask & pattern.unless and _meets(pattern.parts, text_mask)
    ]
    if not possible:
        return []
    sentences = [
        (start, end, sum({_BITS[concept] for concept, at, _ in hits if start <= at < end}))
        for start, end in sentences_of(text)
    ]
    results = []
    for number, parts in possible:
        for start, end, mask in sentences:
            if _meets(parts, mask):
                results.append((number, start, end))
                break
    return results
