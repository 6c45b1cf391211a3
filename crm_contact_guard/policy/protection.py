"""The setting ``PROTECTION``: whom to turn to, and when repeated asking counts as pressing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import get_language

from crm_contact_guard.conf import settings

#: Whom the customer (``EMERGENCY``) or the company (``POLICE``, ``LAWYER``) can turn to.
CONTACTS = ("EMERGENCY", "POLICE", "LAWYER")
#: Asking again counts for this many days after a refusal, from this many times on, and after a pause of this length.
DEFAULTS: Mapping[str, int] = {"PRESSING_DAYS": 14, "PRESSING_TIMES": 2, "PRESSING_PAUSE_MINUTES": 10}


def contact(name: str, language: str = "") -> str:
    """Return one of ``CONTACTS`` in the language, or the active one, or English; "" if it isn't set."""
    given = settings.PROTECTION.get(name) or ""
    if not isinstance(given, Mapping):
        return str(given)
    for wanted in (language, get_language() or "", "en"):
        for code in (wanted, wanted.replace("_", "-").split("-", maxsplit=1)[0].lower()):
            if code in given:
                return str(given[code])
    return ""


def number(name: str) -> int:
    """Return one of the numbers in ``DEFAULTS``, as set."""
    return int(settings.PROTECTION.get(name, DEFAULTS[name]))


def problems() -> Iterator[str]:
    """Yield what is wrong with the setting, as text."""
    given: Any = settings.PROTECTION
    if not isinstance(given, Mapping):
        yield "PROTECTION is not a dict"
        return
    for name, value in given.items():
        if name in CONTACTS:
            texts = value.values() if isinstance(value, Mapping) else [value]
            if not all(isinstance(text, str) for text in texts):
                yield f'PROTECTION["{name}"] is neither a text nor texts by language'
        elif name not in DEFAULTS:
            yield f'PROTECTION has no key "{name}": {", ".join((*CONTACTS, *DEFAULTS))}'
        elif type(value) is not int or not 1 <= value <= 1000:
            yield f'PROTECTION["{name}"] is not a number from 1 to 1000'
