"""The adapter that the settings choose, and the tenant in whose context we are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from crm_contact_guard.conf import settings
from crm_contact_guard.crm.context import ENTERED
from crm_contact_guard.crm.contract import CRMAdapter, EmployeeRecord
from crm_contact_guard.crm.declarative import DeclarativeAdapter
from crm_contact_guard.exceptions import ConfigurationError


@lru_cache(maxsize=1)
def _adapter() -> CRMAdapter:
    path = settings.CRM_ADAPTER
    try:
        adapter = import_string(path)()
    except ImportError as error:
        raise ConfigurationError(f'CONTACT_GUARD["CRM_ADAPTER"] = {path!r}: {error}') from error
    if not isinstance(adapter, CRMAdapter):
        raise ConfigurationError(f'CONTACT_GUARD["CRM_ADAPTER"] = {path!r} is not a CRMAdapter')
    return adapter


def adapter() -> CRMAdapter:
    """The host's adapter. Raises ConfigurationError when the setting leads nowhere."""
    return _adapter()


def has_contexts(host: CRMAdapter) -> bool:
    """Whether the host's rows are read tenant by tenant."""
    return type(host).tenants is not CRMAdapter.tenants


def is_outside(record: EmployeeRecord) -> bool:
    """Whether a table of users that is everybody's showed somebody who belongs to none of the tenants."""
    host = adapter()
    told = isinstance(host, DeclarativeAdapter) and settings.EMPLOYEE.get("TENANT")
    return bool(told) and not record.tenant and has_contexts(host)


@contextmanager
def tenant(key: str) -> Iterator[None]:
    """Enter the host's context of a tenant; with "", which is what rows of nobody's have, nothing is entered."""
    before = ENTERED.set(key)
    try:
        with adapter().tenant(key) if key else nullcontext():
            yield
    finally:
        ENTERED.reset(before)


def current_tenant() -> str:
    """The tenant that was entered here, or in whose context the host says we are; empty: in none."""
    return ENTERED.get() or adapter().current_tenant()


def _forget(*, setting: str, **_: object) -> None:
    if setting == "CONTACT_GUARD":
        _adapter.cache_clear()


setting_changed.connect(_forget)
