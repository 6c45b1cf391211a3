"""Tokenises text with the SentencePiece unigram model of XLM-RoBERTa, and keeps the span of each token in the text."""

from __future__ import annotations

from typing import NamedTuple

from crm_contact_guard.detection.encoder.base import Base

#: Represents a space in the pieces.
SPACE = "▁"
#: An unknown character costs this much more than the rarest piece.
_UNKNOWN_PENALTY = 10.0
#: Maximum number of texts in the cache, so that fixed prefixes and a conversation's messages are tokenised only once.
_REMEMBERED = 2_000


class Tokens(NamedTuple):
    """Token numbers, and the span of characters that each token covers."""

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


class Tokenizer:
    """Splits text into pieces of the base model's vocabulary, along the best-scoring path (Viterbi)."""

    def __init__(self, base: Base) -> None:
        self._normalised = base.normalised
        self._unknown = base.special.unknown
        self._pieces: dict[str, tuple[int, float]] = {}
        for number, (piece, score) in enumerate(zip(base.pieces, base.scores, strict=True)):
            if piece:
                self._pieces.setdefault(piece, (number, score))
        self._longest = max(map(len, self._pieces))
        self._worst = min(base.scores) - _UNKNOWN_PENALTY
        self._known: dict[str, Tokens] = {}

    def __call__(self, text: str) -> Tokens:
        """Return the tokens of a text, without special tokens. Takes time linear in its length."""
        tokens = self._known.get(text)
        if tokens is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            tokens = self._known[text] = self._cut(text)
        return tokens

    def _cut(self, text: str) -> Tokens:
        characters, origins = self._fold(text)
        joined, count = "".join(characters), len(characters)
        pieces, longest, worst = self._pieces, self._longest, self._worst
        best = [0.0] + [-1e30] * count
        token, start = [0] * (count + 1), [0] * (count + 1)
        for first in range(count):
            here = best[first]
            for last in range(first + 1, min(count, first + longest) + 1):
                piece = pieces.get(joined[first:last])
                if piece is not None and here + piece[1] > best[last]:
                    best[last], token[last], start[last] = here + piece[1], piece[0], first
            if here + worst > best[first + 1]:
                best[first + 1], token[first + 1], start[first + 1] = here + worst, self._unknown, first
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        last = count
        while last > 0:
            first = start[last]
            ids.append(token[last])
            spans.append((origins[first], origins[last - 1] + 1))
            last = first
        return Tokens(tuple(reversed(ids)), tuple(reversed(spans)))

    def _fold(self, text: str) -> tuple[list[str], list[int]]:
        """Return the normalised characters, and the position in the text that each of them comes from."""
        characters: list[str] = []
        origins: list[int] = []
        for place, character in enumerate(text):
            for folded in self._normalised.get(ord(character), character):
                mark = SPACE if folded == " " else folded
                if mark == SPACE and characters and characters[-1] == SPACE:
                    continue
                characters.append(mark)
                origins.append(place)
        if not characters or characters[0] != SPACE:
            characters.insert(0, SPACE)
            origins.insert(0, 0)
        return characters, origins
