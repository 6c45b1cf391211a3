"""The setting ``ICALENDAR``: where rosters are, and which words tell what an event is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError

_SETTING: Final = 'CONTACT_GUARD["ICALENDAR"]'
_WORDS: Final = ("LEAVE", "ON_CALL", "SHIFT")
KEYS: Final = ("SOURCE", "FOLDER", "ALLOW_PRIVATE", *_WORDS)


def source() -> str:
    """Return the URL or file name for all employees, in which ``{key}`` and ``{email}`` are replaced; may be empty."""
    return str(settings.ICALENDAR.get("SOURCE", ""))


def folder() -> Path | None:
    """Return the only folder from which files are read."""
    return Path(settings.ICALENDAR["FOLDER"]) if settings.ICALENDAR.get("FOLDER") else None


def allows_private() -> bool:
    """Whether URLs may lead to private addresses."""
    return settings.ICALENDAR.get("ALLOW_PRIVATE") is True


def words() -> dict[str, tuple[str, ...]]:
    """Return the words that the company chose, by kind of event in lower case."""
    return {name.lower(): tuple(settings.ICALENDAR[name]) for name in _WORDS if name in settings.ICALENDAR}


def check() -> None:
    """Raise ConfigurationError if the setting is invalid."""
    given: Any = settings.ICALENDAR
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{_SETTING} must be a dict")
    for key, value in given.items():
        if key not in KEYS:
            raise ConfigurationError(f"{_SETTING}[{key!r}] is unknown; known are {', '.join(KEYS)}")
        if key in _WORDS and not (isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value)):
            raise ConfigurationError(f"{_SETTING}[{key!r}] must be a list of words")
        if key in _WORDS and not all(one.strip() for one in value):
            raise ConfigurationError(f"{_SETTING}[{key!r}] has an empty word, which every event contains")
    place = source()
    if place and "://" not in place and folder() is None:
        raise ConfigurationError(f'{_SETTING}["SOURCE"] is a file, so "FOLDER" must name its folder')
    if "://" in place and not place.startswith("https://"):
        raise ConfigurationError(f'{_SETTING}["SOURCE"] must begin with https://')
