"""The company's own contacts, as detection needs them: from settings and from the host's adapter."""

from __future__ import annotations

from functools import lru_cache

from django.core.signals import setting_changed

from crm_contact_guard import crm
from crm_contact_guard.channels import registry
from crm_contact_guard.conf import settings
from crm_contact_guard.detection.types import Company
from crm_contact_guard.policy.presets import sensitivity

_LISTS = ("phones", "emails", "domains", "handles", "urls", "names")


@lru_cache(maxsize=64)
def _company(tenant: str) -> Company:
    from crm_contact_guard.detection import engine  # noqa: PLC0415 - loads numpy and the packs' libraries; not at start

    given = dict(settings.COMPANY_CONTACTS)
    hosts = crm.adapter().company_contacts()
    merged = {name: frozenset((*given.get(name, ()), *hosts.get(name, ()))) for name in _LISTS}
    if settings.COMPANY_NAME:
        merged["names"] |= {str(settings.COMPANY_NAME)}  # a host may give a lazy translation
    merged["domains"] |= {domain for alias in registry.aliases() for domain in registry.channel(alias).own_domains()}
    return Company(
        names=merged["names"],
        phones=merged["phones"],
        emails=merged["emails"],
        domains=merged["domains"],
        handles=merged["handles"],
        urls=merged["urls"],
        regions=tuple(settings.REGIONS),
        threshold=engine.THRESHOLD * sensitivity(),
    )


def company() -> Company:
    """What belongs to the company itself and is therefore no private contact."""
    # A host reads its own contacts in a tenant's context: those of the first to be asked are not everybody's.
    return _company(crm.current_tenant() if crm.has_contexts(crm.adapter()) else "")


def _forget(*, setting: str, **_: object) -> None:
    if setting == "CONTACT_GUARD":
        _company.cache_clear()


setting_changed.connect(_forget)
