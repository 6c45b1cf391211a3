"""Choose among the languages in which the package is available. For other languages, all our text is in English.

Without this, Django would translate only those of our strings that its own catalogue happens to contain. The rest would
stay in English, although the page's ``lang`` would be the host's language.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings as django_settings
from django.utils import translation

SPOKEN: Final = ("en", "ja")


def spoken(*wanted: str | None) -> str:
    """Return the language of our text for somebody who prefers the first language in ``wanted`` that isn't empty.

    If all are empty, the active language counts. Return English if the package is not available in that language or
    ``USE_I18N`` is off.
    """
    code = (next(filter(None, wanted), None) or translation.get_language() or "").replace("_", "-").lower()
    base = code.split("-", maxsplit=1)[0]
    if base not in SPOKEN or not django_settings.USE_I18N:
        return "en"
    return code if translation.check_for_language(code) else base


def speaking(*wanted: str | None) -> translation.override:
    """Return a context manager that activates the language from ``spoken``."""
    return translation.override(spoken(*wanted))
