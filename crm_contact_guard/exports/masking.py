"""Mask the addresses in recorded messages for people who may not see them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from typing import Any

from django.core.signals import setting_changed

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.address_kinds import EMAIL, PHONE, UNKNOWN, AddressKind
from crm_contact_guard.directory.addresses import data_of, name_of
from crm_contact_guard.exceptions import ConfigurationError

#: Minimum length, in characters, of an address to mask wherever it occurs. A shorter one may be an ordinary word.
_SHORTEST = 6
#: Number of trailing digits that identify a phone number.
_SIGNIFICANT = 8
#: A message's own addresses, see ``own_addresses``.
Own = tuple[tuple[str, bytes], ...]
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}")
#: What every email address and every phone number contains.
_PERHAPS = re.compile(r"@|\d(?:[^\d]{0,2}\d){6}")


@lru_cache(maxsize=8192)
def masked(channel: str, address: str) -> str:
    """Return ``address`` masked according to the channel's address kind.

    The company's own addresses are masked too, because its reply addresses contain the conversation's token.
    """
    return _kind(channel, address).mask(address) if address else ""


def without_addresses(value: Any, channel: str = "", own: Iterable[str | None] = ()) -> Any:
    """Return a recorded JSON value, such as email headers or a carrier's data, with addresses in its strings masked.

    ``own`` contains the message's addresses on ``channel``. They are masked everywhere, even if they don't look like
    addresses (LINE's user IDs) or are encoded (WhatsApp's message IDs contain the phone number in base64).
    """
    return _hidden(value, channel, own_addresses(own))


def json_without_addresses(text: str, channel: str, own: Own) -> str:
    """Return JSON text as ``without_addresses`` returns its value. Text that can't contain an address is not parsed."""
    if not _PERHAPS.search(text) and not any(digits or address in text for address, digits in own):
        return text
    return json.dumps(_hidden(json.loads(text), channel, own), ensure_ascii=False, separators=(",", ":"))


def id_without_addresses(value: str, channel: str, own: Own) -> str:
    """Return a carrier's ID of a message with the message's own addresses masked, also where they are encoded."""
    return _without(value, channel, own)


def own_addresses(own: Iterable[str | None]) -> Own:
    """Return those addresses that can't be ordinary words, each with the digits that identify a phone number, if any.

    An address is also returned as JSON text contains it, if that differs.
    """
    found = [address for address in own if address and len(address) >= _SHORTEST]
    given = dict.fromkeys(
        form for address in found for form in (address, json.dumps(address, ensure_ascii=False)[1:-1])
    )
    last = {address: "".join(filter(str.isdigit, address))[-_SIGNIFICANT:].encode() for address in given}
    return tuple((address, digits if len(digits) == _SIGNIFICANT else b"") for address, digits in last.items())


def _hidden(value: Any, channel: str, own: Own) -> Any:
    if isinstance(value, str):
        return data_of(_without(value, channel, own))
    if isinstance(value, Mapping):
        return {name: _hidden(inner, channel, own) for name, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(inner, channel, own) for inner in value]
    return value


def _without(text: str, channel: str, own: Own) -> str:
    for address, digits in own:
        if address in text:
            text = text.replace(address, masked(channel, address))
        if digits:
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
    """Return a message's list of files with the addresses in their names masked.

    Digests and IDs are left unchanged, even if they contain something that looks like a phone number.
    """
    return files and [{**entry, "name": name_of(str(entry["name"]))} if "name" in entry else entry for entry in files]


def _kind(channel: str, address: str) -> AddressKind:
    """Return the channel's address kind, guessed from the address if the channel was removed from the settings."""
    try:
        return registry.channel(channel).address_kind
    except ConfigurationError:
        if "@" in address:
            return EMAIL
        return PHONE if any(character.isdigit() for character in address) else UNKNOWN


def _forget(*, setting: str, **_: object) -> None:
    if setting == "CONTACT_GUARD":
        masked.cache_clear()


setting_changed.connect(_forget)
