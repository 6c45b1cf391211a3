"""Addresses of recorded messages as people without the unmask permission see them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from typing import Any

from django.core.signals import setting_changed

from crm_contact_guard.channels import registry
from crm_contact_guard.directory.addresses import data_of, mask, name_of
from crm_contact_guard.directory.models import AddressKind
from crm_contact_guard.exceptions import ConfigurationError

#: Shorter than this, an address is a word that may stand anywhere.
_SHORTEST = 6
#: So many last digits tell whose number it is.
_TELLING = 8
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}")


@lru_cache(maxsize=8192)
def masked(channel: str, address: str) -> str:
    """``address`` masked after the kind that the channel reaches.

    The company's own side is masked as well: its reply addresses hold the token that opens the conversation.
    """
    return mask(_kind(channel, address), address)


def without_addresses(value: Any, channel: str = "", own: Iterable[str | None] = ()) -> Any:
    """A value of the record's JSON with every address in its texts masked: mail headers, a carrier's words.

    ``own``: the message's addresses on ``channel``. They are masked wherever they stand, also where nobody would take
    them for an address (LINE's user ids) or read them at once (WhatsApp's message ids hold the number in base64).
    """
    return _hidden(value, channel, tuple(address for address in own if address and len(address) >= _SHORTEST))


def _hidden(value: Any, channel: str, own: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return data_of(_without(value, channel, own))
    if isinstance(value, Mapping):
        return {name: _hidden(inner, channel, own) for name, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(inner, channel, own) for inner in value]
    return value


def _without(text: str, channel: str, own: tuple[str, ...]) -> str:
    for address in own:
        text = text.replace(address, masked(channel, address))
        digits = "".join(filter(str.isdigit, address))[-_TELLING:].encode()
        if len(digits) == _TELLING:
            text = _ENCODED.sub(partial(_unless_it_holds, digits), text)
    return text


def _unless_it_holds(digits: bytes, token: re.Match[str]) -> str:
    return "••••" if digits in _decoded(token[0]) else token[0]


def _decoded(token: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(token.replace("+", "-").replace("/", "_") + "=" * (-len(token) % 4))
    except ValueError:
        return b""


def files_without_addresses(files: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """The list of a message's files with addresses masked in their names; digests and ids are no addresses, whatever
    digits they hold."""
    return files and [{**entry, "name": name_of(str(entry["name"]))} if "name" in entry else entry for entry in files]


def _kind(channel: str, address: str) -> str:
    """A channel that has left the settings still has its messages: then the address itself tells."""
    if "@" in address:
        return AddressKind.EMAIL
    try:
        return registry.channel(channel).address_kind
    except ConfigurationError:
        return AddressKind.PHONE if any(character.isdigit() for character in address) else ""


def _forget(*, setting: str, **_: object) -> None:
    if setting == "CONTACT_GUARD":
        masked.cache_clear()


setting_changed.connect(_forget)
