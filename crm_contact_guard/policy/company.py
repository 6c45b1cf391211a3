"""The company's own contacts, words and rules, as detection needs them: from settings and the host's adapter."""

from __future__ import annotations

from functools import lru_cache

from django.core.signals import setting_changed

from crm_contact_guard import crm
from crm_contact_guard.channels import registry
from crm_contact_guard.conf import settings
from crm_contact_guard.detection.decision import ALERT, NOTICED
from crm_contact_guard.detection.types import Company, Direction
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy.thresholds import Thresholds, thresholds

_LISTS = ("phones", "emails", "domains", "handles", "urls", "names")


@lru_cache(maxsize=64)
def _company(tenant: str) -> Company:
    given = dict(settings.COMPANY_CONTACTS)
    hosts = crm.adapter().company_contacts()
    own = own_rules()
    merged = {name: frozenset((*given.get(name, ()), *hosts.get(name, ()), *getattr(own, name))) for name in _LISTS}
    if settings.COMPANY_NAME:
        merged["names"] |= {str(settings.COMPANY_NAME)}  # a host may give a lazy translation
    merged["domains"] |= {domain for alias in registry.aliases() for domain in registry.channel(alias).own_domains()}
    sure = thresholds(Thresholds(ALERT, NOTICED))
    return Company(
        names=merged["names"],
        phones=merged["phones"],
        emails=merged["emails"],
        domains=merged["domains"],
        handles=merged["handles"],
        urls=merged["urls"],
        regions=tuple(settings.REGIONS),
        # Those of what employees write stand for whatever names no direction.
        threshold=sure[Direction.OUTBOUND].alert,
        noticed=sure[Direction.OUTBOUND].noticed,
        threshold_by_direction={direction: one.alert for direction, one in sure.items()},
        noticed_by_direction={direction: one.noticed for direction, one in sure.items()},
        own_words=own.own_words,
        rules=own.rules,
        version=own.version,
    )


def own_rules() -> Company:
    """What the file of ``COMPANY_RULES`` says. Raises ConfigurationError that names every faulty line."""
    if not settings.COMPANY_RULES:
        return Company()
    from crm_contact_guard.detection.company_rules import file  # noqa: PLC0415 - loads re2; not at start

    try:
        return file.read_company(str(settings.COMPANY_RULES))
    except file.CompanyFileError as error:
        raise ConfigurationError(f'CONTACT_GUARD["COMPANY_RULES"]: {error}') from error


def company() -> Company:
    """What belongs to the company itself and is therefore no private contact, and its own words and rules."""
    # A host reads its own contacts in a tenant's context: those of the first to be asked are not everybody's.
    return _company(crm.current_tenant() if crm.has_contexts(crm.adapter()) else "")


def _forget(*, setting: str, **_: object) -> None:
    if setting == "CONTACT_GUARD":
        _company.cache_clear()


setting_changed.connect(_forget)
