"""Finds phrases that occur in many false alarms and in no true alert."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from crm_contact_guard.calibration.reading import JudgedAlert
from crm_contact_guard.detection.text.normalise import normalise

#: A phrase that occurs in fewer false alarms, or with fewer customers, is a coincidence or somebody's name.
ALARMS: Final = 5
CUSTOMERS: Final = 3
#: Maximum number of phrases that are reported.
MAX_PHRASES: Final = 20
#: How many phrases are counted at once. If there are more, those seen only once are dropped.
MOST: Final = 200_000
#: How many characters of a message are read.
_LONGEST: Final = 600
_WORDS: Final = re.compile(r"[a-z][a-z']*(?: [a-z][a-z']*)*")
#: Kana, kanji, hangul, Thai …: scripts without spaces between words.
_UNSPACED: Final = re.compile(r"[^\W\d_a-z]{4,}")


@dataclass(frozen=True)
class Phrase:
    """A phrase, and the number of false alarms that contain it."""

    text: str
    alarms: int


class Listener:
    """Counts the phrases of all false alarms, then drops those that occur in true alerts."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._customers: dict[str, set[UUID]] = {}
        self._kept: dict[str, int] | None = None

    def false(self, alert: JudgedAlert) -> None:
        """Count each phrase of a false alarm once."""
        phrases = {phrase for text in _texts(alert) for phrase in phrases_of(text)}
        self._counts.update(phrases)
        customer = alert.evidence[0].customer_id
        for phrase in phrases:
            customers = self._customers.setdefault(phrase, set())
            if len(customers) < CUSTOMERS:
                customers.add(customer)
        if len(self._counts) > MOST:
            self._counts = Counter({phrase: count for phrase, count in self._counts.items() if count > 1})
            self._customers = {phrase: self._customers[phrase] for phrase in self._counts}

    def true(self, alert: JudgedAlert) -> None:
        """Drop the phrases that also occur in a true alert."""
        frequent = self._frequent()
        for text in _texts(alert):
            for phrase in [phrase for phrase in frequent if phrase in text]:
                del frequent[phrase]

    def phrases(self) -> list[Phrase]:
        """Return the most frequent phrases, except those that are part of a longer phrase with the same count."""
        frequent = self._frequent()
        reported: list[Phrase] = []
        for phrase, count in sorted(frequent.items(), key=lambda item: (-item[1], -len(item[0]), item[0])):
            if not any(phrase in longer.text and count == longer.alarms for longer in reported):
                reported.append(Phrase(phrase, count))
            if len(reported) == MAX_PHRASES:
                break
        return reported

    def _frequent(self) -> dict[str, int]:
        if self._kept is None:
            self._kept = {
                phrase: count
                for phrase, count in self._counts.items()
                if count >= ALARMS and len(self._customers[phrase]) >= CUSTOMERS
            }
        return self._kept


def phrases_of(text: str) -> Iterator[str]:
    """Yield sequences of two to five words of a folded text, or of four to ten characters in scripts without spaces."""
    for run in _WORDS.findall(text):
        words = run.split()
        for length in range(2, 6):
            for start in range(len(words) - length + 1):
                yield " ".join(words[start : start + length])
    for run in _UNSPACED.findall(text):
        for length in range(4, min(10, len(run)) + 1):
            for start in range(len(run) - length + 1):
                yield run[start : start + length]


def _texts(alert: JudgedAlert) -> Iterable[str]:
    return [normalise((message.text or "")[:_LONGEST]).text for message in alert.evidence]
