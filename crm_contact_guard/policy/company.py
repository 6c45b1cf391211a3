"""The company's own contacts, words and rules for detection, from settings and the host's adapter."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

from django.core.signals import setting_changed

from crm_contact_guard import crm
from crm_contact_guard.channels import registry
from crm_contact_guard.conf import settings
from crm_contact_guard.detection.decision import ALERT, NOTICED
from crm_contact_guard.detection.types import Company, Direction
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy.thresholds import Thresholds, thresholds

#: Thresholds by direction. None: those of the settings.
_Limits: TypeAlias = tuple[tuple[Direction, Thresholds], ...] | None
_LISTS = ("phones", "emails", "domains", "handles", "urls", "names")


@lru_cache(maxsize=64)
def _company(tenant: str, own_limits: _Limits) -> Company:
    configured = dict(settings.COMPANY_CONTACTS)
    from_host = crm.adapter().company_contacts()
    from_file = own_rules()
    merged = {
        name: frozenset((*configured.get(name, ()), *from_host.get(name, ()), *getattr(from_file, name)))
        for name in _LISTS
    }
    if settings.COMPANY_NAME:
        merged["names"] |= {str(settings.COMPANY_NAME)}  # the setting may be a lazy translation
    merged["domains"] |= {domain for alias in registry.aliases() for domain in registry.channel(alias).own_domains()}
    limits = dict(own_limits or thresholds(Thresholds(ALERT, NOTICED)).items())
    return Company(
        names=merged["names"],
        phones=merged["phones"],
        emails=merged["emails"],
        domains=merged["domains"],
        handles=merged["handles"],
        urls=merged["urls"],
        regions=tuple(settings.REGIONS),
        # The outbound thresholds apply where no direction is known.
        threshold=limits[Direction.OUTBOUND].alert,
        noticed=limits[Direction.OUTBOUND].noticed,
        threshold_by_direction={direction: one.alert for direction, one in limits.items()},
        noticed_by_direction={direction: one.noticed for direction, one in limits.items()},
        own_words=from_file.own_words,
        rules=from_file.rules,
        version=from_file.version,
    )


def own_rules() -> Company:
    """Return the content of the file ``COMPANY_RULES``. Raise ConfigurationError, which lists every invalid line."""
    if not settings.COMPANY_RULES:
        return Company()
    from crm_contact_guard.detection.company_rules import file  # noqa: PLC0415 - loads re2; not at start

    try:
        return file.read_company(str(settings.COMPANY_RULES))
    except file.CompanyFileError as error:
        raise ConfigurationError(f'CONTACT_GUARD["COMPANY_RULES"]: {error}') from error


def company(limits: Mapping[Direction, Thresholds] | None = None) -> Company:
    """Return the company's own contacts, which never count as private, and its words, rules and thresholds.

    ``limits`` are other thresholds than those of the settings.
    """
    # An adapter with tenant contexts reads contacts per tenant, so they are cached per tenant.
    tenant = crm.current_tenant() if crm.has_contexts(crm.adapter()) else ""
    return _company(tenant, tuple(limits.items()) if limits is not None else None)


def _forget(*, setting: str, **_: object) -> None:
    if setting == "CONTACT_GUARD":
        _company.cache_clear()


setting_changed.connect(_forget)
