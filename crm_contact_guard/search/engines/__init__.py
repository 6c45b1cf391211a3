"""Engines that find messages by words. A company can bring its own: ``CONTACT_GUARD["SEARCH_ENGINE"]``."""

from __future__ import annotations

from functools import lru_cache

from django.utils.module_loading import import_string

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting import database
from crm_contact_guard.search.engines.base import Engine
from crm_contact_guard.search.engines.bigrams import BigramEngine
from crm_contact_guard.search.engines.plain_text import PlainTextEngine


def engine() -> Engine:
    """Return the engine in use: ``SEARCH_ENGINE``, else the one for the database of our tables.

    Raises ConfigurationError if ``SEARCH_ENGINE`` names no engine.
    """
    return _made(str(settings.SEARCH_ENGINE), database.connection().vendor)


@lru_cache(maxsize=4)
def _made(path: str, vendor: str) -> Engine:
    if not path:
        return BigramEngine() if vendor == "postgresql" else PlainTextEngine()
    try:
        made = import_string(path)()
    except (ImportError, TypeError) as error:
        raise ConfigurationError(f'CONTACT_GUARD["SEARCH_ENGINE"]: {path} is not a search engine: {error}') from error
    if not isinstance(made, Engine):
        raise ConfigurationError(f'CONTACT_GUARD["SEARCH_ENGINE"]: {path} is not a subclass of Engine')
    return made
