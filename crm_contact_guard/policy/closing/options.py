"""The setting ``AUTO_ANSWER``: whether customers who write while nobody works get an automatic answer, and its text.

``True`` turns it on with the app's own texts. A dict turns it on, too, with these optional keys:

* ``TEXTS``: language → text. ``{company}`` and ``{opens}`` (the next opening) are filled in.
* ``EMERGENCY``: language → what to do in an emergency, added to every answer.
* ``CHANNELS``: channel alias → ``False``, ``True`` or a dict with its own ``TEXTS``. A channel whose carrier charges
  for each message sends no automatic answers unless it is named here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel
from crm_contact_guard.conf import settings

_KEYS = ("TEXTS", "EMERGENCY", "CHANNELS")
#: Longest text in the setting, in characters.
_MOST = 2000


@dataclass(frozen=True)
class Texts:
    """The company's own texts by language. Both may be empty."""

    answer: Mapping[str, str] = field(default_factory=dict)
    emergency: Mapping[str, str] = field(default_factory=dict)


def texts_for(carrier: Channel) -> Texts | None:
    """Return the texts of automatic answers on the channel, or None if it sends none."""
    configured: Any = settings.AUTO_ANSWER
    if not configured:
        return None
    options = configured if isinstance(configured, Mapping) else {}
    channel = (options.get("CHANNELS") or {}).get(carrier.alias, not carrier.charges)
    if channel is False or not carrier.supports_text:
        return None
    own = channel.get("TEXTS") if isinstance(channel, Mapping) else None
    return Texts({**(options.get("TEXTS") or {}), **(own or {})}, options.get("EMERGENCY") or {})


def problems() -> Iterator[str]:
    """Yield what is wrong with the setting."""
    configured: Any = settings.AUTO_ANSWER
    if isinstance(configured, bool):
        return
    where = 'CONTACT_GUARD["AUTO_ANSWER"]'
    if not isinstance(configured, Mapping):
        yield f"{where} must be True, False or a dict"
        return
    yield from (f"{where} has an unknown key {key!r}; known: {', '.join(_KEYS)}" for key in set(configured) - {*_KEYS})
    yield from _texts(configured.get("TEXTS"), f'{where}["TEXTS"]')
    yield from _texts(configured.get("EMERGENCY"), f'{where}["EMERGENCY"]')
    channels = configured.get("CHANNELS") or {}
    if not isinstance(channels, Mapping):
        yield f'{where}["CHANNELS"] must be a dict'
        return
    for alias, value in channels.items():
        here = f'{where}["CHANNELS"][{alias!r}]'
        if alias not in registry.aliases():
            yield f"{here}: there is no such channel"
        if isinstance(value, Mapping) and not set(value) - {"TEXTS"}:
            yield from _texts(value.get("TEXTS"), f'{here}["TEXTS"]')
        elif not isinstance(value, bool):
            yield f'{here} must be True, False or {{"TEXTS": …}}'


def _texts(value: Any, where: str) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield f"{where} must map languages to texts"
        return
    for language, text in value.items():
        if not str(text).strip() or len(str(text)) > _MOST:
            yield f"{where}[{language!r}] must have 1 to {_MOST} characters"
