"""Channel objects by their alias in the settings. Carriers' libraries are imported on first use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from crm_contact_guard import channels
from crm_contact_guard.channels.address_kinds import UNKNOWN, AddressKind
from crm_contact_guard.channels.base import Channel
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError


@lru_cache(maxsize=64)
def channel(alias: str) -> Channel:
    """Return the channel configured as ``alias``. Raises ConfigurationError, which names the alias and the problem."""
    spec = settings.channel(alias)
    path = spec.get("BACKEND", "")
    try:
        backend = import_string(path)
    except ImportError as error:
        raise ConfigurationError(f'CONTACT_GUARD["CHANNELS"]["{alias}"]["BACKEND"] = {path!r}: {error}') from error
    if not (isinstance(backend, type) and issubclass(backend, Channel)):
        raise ConfigurationError(f'CONTACT_GUARD["CHANNELS"]["{alias}"]["BACKEND"] = {path!r} is not a Channel')
    if not isinstance(getattr(backend, "address_kind", None), AddressKind):
        raise ConfigurationError(f'CONTACT_GUARD["CHANNELS"]["{alias}"]: {path}.address_kind is not an AddressKind')
    return backend(alias, spec.get("OPTIONS", {}))


def aliases() -> tuple[str, ...]:
    """Return all configured aliases, in the order of the settings."""
    return tuple(settings.CHANNELS)


@lru_cache(maxsize=1)
def address_kinds() -> Mapping[str, AddressKind]:
    """Return the address kinds by name.

    Kinds of this package's own channels come first, whether configured or not, followed by those of other configured
    channels.
    """
    kinds: dict[str, AddressKind] = {kind: kind for kind in _own_kinds()}
    for alias in aliases():
        try:
            kind = channel(alias).address_kind
        except ConfigurationError:
            continue  # reported by the system checks
        kinds.setdefault(kind, kind)
    return kinds


def _own_kinds() -> Iterator[AddressKind]:
    """Yield the address kinds of the packages next to this module, which don't import carriers' libraries."""
    for found in iter_modules(channels.__path__, f"{channels.__name__}."):
        for member in vars(import_module(found.name)).values() if found.ispkg else ():
            if isinstance(member, type) and issubclass(member, Channel) and member is not Channel:
                yield member.address_kind


def address_kind(name: str) -> AddressKind:
    """Return the address kind with this name, or ``UNKNOWN`` if no channel declares it."""
    return address_kinds().get(name, UNKNOWN)


def _clear_cache(*, setting: str, **_: object) -> None:
    if setting == "CONTACT_GUARD":
        channel.cache_clear()
        address_kinds.cache_clear()


setting_changed.connect(_clear_cache)
