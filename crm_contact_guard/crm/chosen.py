"""The configured adapter and the current tenant."""

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
    """Return the host's adapter. Raises ConfigurationError if the setting ``CRM_ADAPTER`` is invalid."""
    return _adapter()


def has_contexts(host: CRMAdapter) -> bool:
    """Whether the host's rows must be read in the context of each tenant."""
    return type(host).tenants is not CRMAdapter.tenants


def is_outside(record: EmployeeRecord) -> bool:
    """Whether a user from a user table shared by all tenants belongs to none of them."""
    host = adapter()
    has_tenant_path = isinstance(host, DeclarativeAdapter) and settings.EMPLOYEE.get("TENANT")
    return bool(has_tenant_path) and not record.tenant and has_contexts(host)


@contextmanager
def tenant(key: str) -> Iterator[None]:
    """Enter the host's context for a tenant. ``""`` stands for rows without a tenant and enters no context."""
    before = ENTERED.set(key)
    try:
        with adapter().tenant(key) if key else nullcontext():
            yield
    finally:
        ENTERED.reset(before)


def current_tenant() -> str:
    """Return the tenant entered by ``tenant()``, otherwise the one the adapter reports; empty if there is none."""
    return ENTERED.get() or adapter().current_tenant()


def _clear_cache(*, setting: str, **_: object) -> None:
    if setting == "CONTACT_GUARD":
        _adapter.cache_clear()


setting_changed.connect(_clear_cache)
