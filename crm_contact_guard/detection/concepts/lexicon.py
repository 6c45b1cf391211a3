"""Reads the packs and compiles the words of all concepts and languages into one automaton.

A single Aho-Corasick pass finds all words of all packs at a constant cost. The automaton of a set of expressions, by
contrast, would grow with each new combination of hits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ahocorasick_rs

from crm_contact_guard.detection.concepts.literals import expand
from crm_contact_guard.detection.packs import read
from crm_contact_guard.detection.text.normalise import normalise

LANGUAGES = ("common", "ja", "en", "zh", "ko", "th", "vi", "es", "tl", "romaji")
#: A window written by a person has fewer matches than this.
MOST_MATCHES = 250
#: Concept, whether a word boundary is required on the left and on the right, and strings that must not follow.
_Owner = tuple[int, bool, bool, tuple[str, ...]]
#: Concept, start and end of a word in a folded text.
Found = tuple[int, int, int]
_OTHERWISE, _WHOLE = -1, -2
_WORD = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


@dataclass(frozen=True, slots=True)
class Pack:
    """The words of one language by concept.

    ``slots`` maps a concept to the fragments of its words. ``not_before`` maps a concept to strings that must not
    follow its words: 「しません」 is a refusal, 「しませんか」 a question.
    """

    language: str
    version: str
    slots: dict[str, tuple[str, ...]]
    not_before: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Hit:
    """A word of a concept in a folded text."""

    concept: int
    start: int
    end: int
    language: str


def read_pack(name: str) -> Pack:
    """Read ``packs/<name>.toml``."""
    raw = read(name)
    slots = {slot: tuple(fragments) for slot, fragments in raw["slots"].items()}
    return Pack(
        raw["language"], raw["version"], slots, {slot: tuple(ends) for slot, ends in raw.get("not_before", {}).items()}
    )


class Lexicon:
    """All words; ``concepts`` are the slot names in alphabetical order."""

    def __init__(self, packs: Iterable[Pack]) -> None:
        self.packs = tuple(packs)
        self.concepts = tuple(sorted({slot for pack in self.packs for slot in pack.slots}))
        self.index = {name: number for number, name in enumerate(self.concepts)}
        owners: dict[str, set[_Owner]] = {}
        languages: dict[tuple[str, int], str] = {}
        for pack in self.packs:
            for slot, fragments in pack.slots.items():
                for fragment in fragments:
                    self._add(owners, languages, pack, self.index[slot], slot, fragment)
        self._languages = languages
        merged = [self._merged(value) for value in owners.values()]
        # Most words in kana and kanji belong to one concept and need no word boundaries, so their matches need no
        # second check.
        self._free = [_plainly(entries) for entries in merged]
        self._bordered = [
            (entries[0][1], tuple((owner[0], owner[2], owner[3]) for owner in entries)) for entries in merged
        ]
        self._automaton = ahocorasick_rs.AhoCorasick(
            list(owners), implementation=ahocorasick_rs.Implementation.ContiguousNFA
        )
        #: Length of the longest word, and of the longest string that must not follow a word (plus one).
        self._longest = max(map(len, owners))
        self._looks_ahead = 1 + max(
            (len(ban) for _, bans in self._bordered for *_, banned in bans for ban in banned), default=0
        )
        self.reasons: dict[str, dict[str, str]] = read("reasons")

    @staticmethod
    def _add(
        owners: dict[str, set[_Owner]],
        languages: dict[tuple[str, int], str],
        pack: Pack,
        concept: int,
        slot: str,
        fragment: str,
    ) -> None:
        words, opened = expand(fragment)
        for word in words:
            folded = normalise(word).text
            # Latin words count only as whole words ("deadline" is not LINE); other scripts have no word boundaries.
            left = folded[0] in _WORD
            right = folded[-1] in _WORD and not opened
            owners.setdefault(folded, set()).add((concept, left, right, pack.not_before.get(slot, ())))
            languages.setdefault((folded, concept), pack.language)

    @staticmethod
    def _merged(owners: set[_Owner]) -> tuple[_Owner, ...]:
        """Return one entry for each concept. Where packs differ, it is the one with fewer conditions."""
        merged: dict[int, _Owner] = {}
        for owner in sorted(owners, key=lambda entry: (entry[1] + entry[2], entry[3])):
            merged.setdefault(owner[0], owner)
        return tuple(merged.values())

    def hits(self, text: str) -> list[Found]:
        """Return the concept, start and end of each of the packs' words in a folded text, even if they overlap."""
        return self.seek(text)[0]

    def seek(self, text: str) -> tuple[list[Found], bool]:
        """Return the hits, and whether they are complete.

        If there are more than ``MOST_MATCHES``, some hits of repeated words are dropped.
        """
        matches = self._automaton.find_matches_as_indexes(text, overlapping=True)
        complete = len(matches) <= MOST_MATCHES
        return self._bounded(matches if complete else _thinned(matches), text), complete

    def seek_each(self, text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[list[Found], bool]]:
        """Return the result of ``seek`` for each span of the text, in one pass even where spans overlap.

        The ends of a span count as word boundaries, so matches at its ends are checked separately.
        """
        matches = self._automaton.find_matches_as_indexes(text, overlapping=True)
        ends = [match[2] for match in matches]
        all_hits = self._bounded(matches, text)
        hit_ends = [hit[2] for hit in all_hits]
        results: list[tuple[list[Found], bool]] = []
        for start, end in spans:
            low, high = bisect_right(ends, start), bisect_right(ends, end)
            if high - low > MOST_MATCHES:
                whole = [
                    (word, first - start, stop - start) for word, first, stop in matches[low:high] if first >= start
                ]
                complete = len(whole) <= MOST_MATCHES
                results.append((self._bounded(whole if complete else _thinned(whole), text[start:end]), complete))
                continue
            last = end - self._looks_ahead
            at_start = matches[low : bisect_right(ends, start + self._longest, low, high)]
            edges = [(word, first, stop) for word, first, stop in at_start if first == start]
            at_end = matches[bisect_right(ends, last, low, high) : high]
            edges += [(word, first, stop) for word, first, stop in at_end if first > start]
            moved = [(word, first - start, stop - start) for word, first, stop in edges]
            inner = all_hits[bisect_right(hit_ends, start) : bisect_right(hit_ends, last)]
            hits = [(concept, first - start, stop - start) for concept, first, stop in inner if first > start]
            results.append((hits + self._bounded(moved, text[start:end]), True))
        return results

    def _bounded(self, matches: Iterable[tuple[int, int, int]], text: str) -> list[Found]:
        """Return the hits among the matches (word, start, end): those with the boundaries that their words require."""
        hits: list[Found] = []
        free, bordered, length, word = self._free, self._bordered, len(text), _WORD
        for literal, start, end in matches:
            concept = free[literal]
            if concept >= 0:
                hits.append((concept, start, end))
                continue
            if concept < _OTHERWISE:
                if (not start or text[start - 1] not in word) and (end >= length or text[end] not in word):
                    hits.append((_WHOLE - concept, start, end))
                continue
            left, owners = bordered[literal]
            if left and start and text[start - 1] in word:
                continue
            ended = end >= length or text[end] not in word
            for concept, right, banned in owners:
                if (ended or not right) and not (banned and text.startswith(banned, end)):
                    hits.append((concept, start, end))
        return hits

    def named_hits(self, text: str) -> list[Hit]:
        """Return the hits with the language of the first pack that has each word, for explanations."""
        return [
            Hit(concept, start, end, self._languages[text[start:end], concept])
            for concept, start, end in self.hits(text)
        ]


def _plainly(entries: Sequence[_Owner]) -> int:
    """Return a code for quickly checking a word that has a single concept.

    The code is the concept itself if the word needs no boundaries, ``_WHOLE - concept`` if it counts only as a whole
    word, and ``_OTHERWISE`` for all other words.
    """
    if len(entries) > 1 or entries[0][3] or entries[0][1] != entries[0][2]:
        return _OTHERWISE
    return _WHOLE - entries[0][0] if entries[0][1] else entries[0][0]


def _thinned(matches: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return the first and last few matches of each word, to bound the cost of a text that repeats a word."""
    thinned: list[tuple[int, int, int]] = []
    for direction in (matches, matches[::-1]):
        counts: dict[int, int] = {}
        for match in direction:
            count = counts.get(match[0], 0)
            if count < 4:
                counts[match[0]] = count + 1
                thinned.append(match)
    return thinned


_cache: list[Lexicon] = []


def lexicon() -> Lexicon:
    """Return the packs, which are compiled on first use."""
    if not _cache:
        _cache.append(Lexicon(read_pack(name) for name in LANGUAGES))
    return _cache[0]
