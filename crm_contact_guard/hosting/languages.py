"""The languages that the package speaks. In a host of another language all our texts are English.

Without this, Django would take those of our texts that its own catalogue has as well from there, and leave the rest in
English, under the ``lang`` of the host.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings as django_settings
from django.utils import translation

SPOKEN: Final = ("en", "ja")


def spoken(*wanted: str | None) -> str:
    """The language of our texts for somebody who prefers the first of these that is given, else the active one."""
    code = (next(filter(None, wanted), None) or translation.get_language() or "").replace("_", "-").lower()
    base = code.split("-", maxsplit=1)[0]
    if base not in SPOKEN or not django_settings.USE_I18N:
        return "en"
    return code if translation.check_for_language(code) else base


def speaking(*wanted: str | None) -> translation.override:
    """A context in which our texts are in that language."""
    return translation.override(spoken(*wanted))
