"""The word lists of ``packs/segments.toml``, compiled on first use."""

from __future__ import annotations

from functools import lru_cache

import re2

from crm_contact_guard.detection import packs


@lru_cache(maxsize=1)
def _pack() -> dict[str, dict[str, list[str]]]:
    return {name: table for name, table in packs.read("segments").items() if isinstance(table, dict)}


def words(table: str, key: str) -> list[str]:
    """Return the words of a list."""
    return _pack()[table][key]


@lru_cache(maxsize=64)
def names(table: str, *keys: str) -> frozenset[str]:
    """Return the words of one or more lists, for exact comparison."""
    return frozenset(word for key in keys for word in words(table, key))


@lru_cache(maxsize=64)
def sought(table: str, *keys: str) -> re2._Regexp:
    """Return a regular expression that matches any word from one or more lists in lower-case text.

    Latin words are found only as whole words.
    """
    return re2.compile(alternatives(table, *keys))


def alternatives(table: str, *keys: str) -> str:
    """Return the words of one or more lists as a regular expression group, longest first."""
    listed = sorted({word for key in keys for word in words(table, key)}, key=lambda word: (-len(word), word))
    return "(?:" + "|".join(map(_whole, listed)) + ")"


def _whole(word: str) -> str:
    before = r"\b" if word[0].isascii() and word[0].isalnum() else ""
    after = r"\b" if word[-1].isascii() and word[-1].isalnum() else ""
    escaped: str = re2.escape(word)
    return before + escaped + after
