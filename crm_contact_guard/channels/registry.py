"""Channel objects by their alias in the settings. Carriers' libraries are imported on first use."""

from __future__ import annotations

from functools import lru_cache

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from crm_contact_guard.channels.base import Channel
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError


@lru_cache(maxsize=64)
def channel(alias: str) -> Channel:
    """The configured channel. Raises ConfigurationError, which names the alias and the problem."""
    spec = settings.channel(alias)
    path = spec.get("BACKEND", "")
    try:
        backend = import_string(path)
    except ImportError as error:
        raise ConfigurationError(f'CONTACT_GUARD["CHANNELS"]["{alias}"]["BACKEND"] = {path!r}: {error}') from error
    if not (isinstance(backend, type) and issubclass(backend, Channel)):
        raise ConfigurationError(f'CONTACT_GUARD["CHANNELS"]["{alias}"]["BACKEND"] = {path!r} is not a Channel')
    return backend(alias, spec.get("OPTIONS", {}))


def aliases() -> tuple[str, ...]:
    """All configured aliases, in the order of the settings."""
    return tuple(settings.CHANNELS)


def _clear_cache(*, setting: str, **_: object) -> None:
    if setting == "CONTACT_GUARD":
        channel.cache_clear()


setting_changed.connect(_clear_cache)
