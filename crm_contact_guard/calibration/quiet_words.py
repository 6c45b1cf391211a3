"""Phrases that stand in many false alarms and in no alert that people found true."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from crm_contact_guard.calibration.reading import JudgedAlert
from crm_contact_guard.detection.text.normalise import normalise

#: A phrase of fewer false alarms, or of fewer customers, is chance, or somebody's name.
ALARMS: Final = 5
CUSTOMERS: Final = 3
#: So many are told.
TOLD: Final = 20
#: Phrases that are counted at once; beyond, those seen once are forgotten.
MOST: Final = 200_000
#: So much of a message is looked at.
_LONGEST: Final = 600
_WORDS: Final = re.compile(r"[a-z][a-z']*(?: [a-z][a-z']*)*")
#: Kana, kanji, hangul, Thai …: letters that no spaces part into words.
_SIGNS: Final = re.compile(r"[^\W\d_a-z]{4,}")


@dataclass(frozen=True)
class Phrase:
    """A phrase and in how many false alarms it stands."""

    text: str
    alarms: int


class Listener:
    """Takes all false alarms first, and then all true alerts."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._customers: dict[str, set[UUID]] = {}
        self._kept: dict[str, int] | None = None

    def false(self, alert: JudgedAlert) -> None:
        """Count the phrases of a false alarm, each once."""
        phrases = {phrase for text in _texts(alert) for phrase in phrases_of(text)}
        self._counts.update(phrases)
        customer = alert.evidence[0].customer_id
        for phrase in phrases:
            known = self._customers.setdefault(phrase, set())
            if len(known) < CUSTOMERS:
                known.add(customer)
        if len(self._counts) > MOST:
            self._counts = Counter({phrase: count for phrase, count in self._counts.items() if count > 1})
            self._customers = {phrase: self._customers[phrase] for phrase in self._counts}

    def true(self, alert: JudgedAlert) -> None:
        """Drop what stands in a true alert as well."""
        kept = self._frequent()
        for text in _texts(alert):
            for phrase in [phrase for phrase in kept if phrase in text]:
                del kept[phrase]

    def phrases(self) -> list[Phrase]:
        """The most frequent, each as long as it can be said."""
        kept = self._frequent()
        found: list[Phrase] = []
        for phrase, count in sorted(kept.items(), key=lambda item: (-item[1], -len(item[0]), item[0])):
            if not any(phrase in longer.text and count == longer.alarms for longer in found):
                found.append(Phrase(phrase, count))
            if len(found) == TOLD:
                break
        return found

    def _frequent(self) -> dict[str, int]:
        if self._kept is None:
            self._kept = {
                phrase: count
                for phrase, count in self._counts.items()
                if count >= ALARMS and len(self._customers[phrase]) >= CUSTOMERS
            }
        return self._kept


def phrases_of(text: str) -> Iterator[str]:
    """Two to five words of a folded text that follow each other; four to ten signs where no spaces part the words."""
    for run in _WORDS.findall(text):
        words = run.split()
        for length in range(2, 6):
            for start in range(len(words) - length + 1):
                yield " ".join(words[start : start + length])
    for run in _SIGNS.findall(text):
        for length in range(4, min(10, len(run)) + 1):
            for start in range(len(run) - length + 1):
                yield run[start : start + length]


def _texts(alert: JudgedAlert) -> Iterable[str]:
    return [normalise((message.text or "")[:_LONGEST]).text for message in alert.evidence]
