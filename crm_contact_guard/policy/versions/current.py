"""The rules that are in force now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from crm_contact_guard import crm
from crm_contact_guard.detection.types import Company
from crm_contact_guard.hosting import database
from crm_contact_guard.policy import company, rulebook
from crm_contact_guard.policy.rulebook import Rulebook
from crm_contact_guard.policy.versions.models import PolicyVersion

#: Seconds for which a process reuses what it read, so that sending needs no query of its own. A decision names the
#: version that it was made with, even in the second after another one was published.
REUSED_FOR: Final = 1.0


@dataclass(frozen=True)
class Version:
    """A rulebook and the row that contains it. ``id`` is None for the rules of the settings."""

    rules: Rulebook
    id: UUID | None = None
    valid_from: datetime | None = None


@dataclass(frozen=True)
class InForce:
    """What applies now: the version in force, and the one that runs silently beside it, if any."""

    version: Version
    shadow: Version | None = None

    @property
    def rules(self) -> Rulebook:
        return self.version.rules


_Read = tuple[Version | None, Version | None]
_cache: dict[tuple[str, str], tuple[float, _Read]] = {}
_lock = Lock()


def in_force(tenant: str | None = None) -> InForce:
    """Return what is in force in a tenant (the current one by default). Raise ConfigurationError.

    Makes at most one query per second and process.
    """
    key = (database.alias(), crm.current_tenant() if tenant is None else tenant)
    with _lock:
        until, found = _cache.get(key, (0.0, (None, None)))
    if monotonic() >= until:
        found = _read(key[1])
        with _lock:
            _cache[key] = (monotonic() + REUSED_FOR, found)
    published, shadow = found
    return InForce(published or Version(rulebook.from_settings()), shadow)


def forget() -> None:
    """Read again at the next call."""
    with _lock:
        _cache.clear()


def company_now(rules: Rulebook | None = None) -> Company:
    """Return the company's contacts, words and rules for detection, with the thresholds in force (or of ``rules``)."""
    if rules is None:
        version = in_force().version
        rules = version.rules if version.id is not None else None
    return company.company(rules.thresholds if rules is not None else None)


def _read(tenant: str) -> _Read:
    states = PolicyVersion.State
    rows = PolicyVersion.objects.filter(
        Q(state=states.PUBLISHED, origin=PolicyVersion.Origin.PAGE) | Q(state=states.SHADOW),
        tenant=tenant,
        valid_from__lte=timezone.now(),
    )
    # Descending, so that the silent version comes first.
    newest = rows.order_by("-state", "-valid_from", "-id")[:2]
    shadow = next((_version(row) for row in newest if row.state == states.SHADOW), None)
    published = next((_version(row) for row in newest if row.state == states.PUBLISHED), None)
    return published, shadow


def _version(row: PolicyVersion) -> Version:
    return Version(rulebook.from_text(row.text), row.pk, row.valid_from)
