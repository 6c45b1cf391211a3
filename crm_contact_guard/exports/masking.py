"""Addresses of recorded messages as people without the unmask permission see them (design.md §3.8)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed

from crm_contact_guard.channels import registry
from crm_contact_guard.directory.addresses import mask, name_of
from crm_contact_guard.directory.models import AddressKind
from crm_contact_guard.exceptions import ConfigurationError


@lru_cache(maxsize=8192)
def masked(channel: str, address: str) -> str:
    """``address`` masked after the kind that the channel reaches.

    The company's own side is masked as well: its reply addresses hold the token that opens the conversation.
    """
    return mask(_kind(channel, address), address)


def without_addresses(value: Any) -> Any:
    """A value of the record's JSON with every address in its texts masked: mail headers, a carrier's words."""
    if isinstance(value, str):
        return name_of(value)
    if isinstance(value, Mapping):
        return {name: without_addresses(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [without_addresses(inner) for inner in value]
    return value


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
