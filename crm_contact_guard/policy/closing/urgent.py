"""The setting ``URGENT``: how customers can mark a message as urgent, and which of their messages are.

``BUTTON``: whether the web chat offers "This is urgent". ``WORDS``: language → words that mark a message on any
channel. The mark is in the message's details, and so in the record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from crm_contact_guard.channels.base import UNANSWERABLE
from crm_contact_guard.conf import settings
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.record.models import Message

#: Key in a message's details; the value is ``BUTTON`` or ``WORDS``.
URGENT: Final = "urgent"
BUTTON: Final = "button"
WORDS: Final = "words"
_MOST_WORDS = 100
_LONGEST = 60
#: Number of characters of a message that are searched.
_SEARCHED = 5000
#: Scripts that are written without spaces: their words may stand anywhere.
_UNSPACED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_LETTER = rf"[^\W{_UNSPACED}]"


@dataclass(frozen=True)
class Told:
    """That people were told about an urgent message: since when, and whether any of them was on call."""

    at: datetime
    on_call: bool


def has_button() -> bool:
    """Whether the web chat offers the button."""
    return settings.URGENT.get("BUTTON") is True


def marked(details: Mapping[str, Any], *texts: str) -> Mapping[str, Any]:
    """Return a customer's message's details, with the mark if its texts contain one of the company's words.

    Messages of machines and mailing lists are never marked, so that they wake nobody.
    """
    if URGENT in details or details.get("auto_submitted") or details.get(UNANSWERABLE):
        return details
    pattern = _pattern(tuple(str(word) for words in settings.URGENT.get("WORDS", {}).values() for word in words))
    if pattern is None or not any(pattern.search(normalise(text[:_SEARCHED]).text) for text in texts):
        return details
    return {**details, URGENT: WORDS}


def is_marked(message: Message) -> bool:
    """Whether the customer marked the message as urgent. An erased message has no mark."""
    return URGENT in json.loads(message.details or "{}")


@lru_cache(maxsize=8)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str] | None:
    folded = [normalise(word.strip()).text for word in words]
    parts = [rf"(?<!{_LETTER}){re.escape(word)}(?!{_LETTER})" if _is_spaced(word) else re.escape(word)
             for word in folded if word]  # fmt: skip
    return re.compile("|".join(parts)) if parts else None


def _is_spaced(word: str) -> bool:
    return re.search(rf"[{_UNSPACED}]", word) is None


def problems() -> Iterator[str]:
    """Yield what is wrong with the setting."""
    given: Any = settings.URGENT
    where = 'CONTACT_GUARD["URGENT"]'
    if not isinstance(given, Mapping):
        yield f"{where} must be a dict"
        return
    yield from (f"{where} has an unknown key {key!r}; known: BUTTON, WORDS" for key in set(given) - {"BUTTON", "WORDS"})
    if not isinstance(given.get("BUTTON", False), bool):
        yield f'{where}["BUTTON"] must be True or False'
    by_language = given.get("WORDS", {})
    if not isinstance(by_language, Mapping):
        yield f'{where}["WORDS"] must map languages to lists of words'
        return
    for language, words in by_language.items():
        if not isinstance(words, list | tuple) or len(words) > _MOST_WORDS or not all(map(_is_word, words)):
            limits = f"at most {_MOST_WORDS} words of 2 to {_LONGEST} characters"
            yield f'{where}["WORDS"][{language!r}] must be a list of {limits}'


def _is_word(word: Any) -> bool:
    return isinstance(word, str) and 2 <= len(word.strip()) <= _LONGEST and len(normalise(word.strip()).text) >= 2
