"""Patterns over concepts, read from ``packs/patterns.toml``: what must meet in one sentence, and what must not be there."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from crm_contact_guard.detection.lexicon import PACKS, lexicon
from crm_contact_guard.detection.sentences import sentences_of
from crm_contact_guard.detection.types import Kind


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
    """The patterns in the order of the file."""
    index = lexicon().index

    def mask(names: str) -> int:
        return sum(1 << index[name] for name in names.split("|"))

    raw = tomllib.loads((PACKS / "patterns.toml").read_text("utf-8"))
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
    """Version of the file."""
    return str(tomllib.loads((PACKS / "patterns.toml").read_text("utf-8"))["version"])


def matches(text: str, hits: list[tuple[int, int, int]], concepts: set[int]) -> Iterator[tuple[int, int, int]]:
    """Number of the pattern, start and end of the sentence, for each pattern that holds (its first sentence)."""
    whole = 0
    for concept in concepts:
        whole |= 1 << concept
    held = [
        (number, pattern)
        for number, pattern in enumerate(patterns())
        if not whole & pattern.unless and all(whole & part for part in pattern.parts)
    ]
    if not held:
        return
    sentences = [
        (start, end, sum({1 << concept for concept, at, _ in hits if start <= at < end}))
        for start, end in sentences_of(text)
    ]
    for number, pattern in held:
        for start, end, mask in sentences:
            if all(mask & part for part in pattern.parts):
                yield number, start, end
                break
