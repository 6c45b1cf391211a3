"""Find problems with the CRM adapter and its settings."""

from __future__ import annotations

from collections.abc import Iterator

from crm_contact_guard import crm
from crm_contact_guard.channels import registry
from crm_contact_guard.crm import options


def adapter_problems() -> Iterator[tuple[str, str]]:
    """Yield each problem with a hint on how to fix it. Raise ConfigurationError if the adapter can't be loaded."""
    adapter = crm.adapter()
    yield from adapter.problems()
    if isinstance(adapter, crm.DeclarativeAdapter):
        kinds = registry.address_kinds()
        known = (*options.others("CUSTOMER"), *map(str.upper, kinds))
        for option, kind in options.addresses().items():
            if kind not in kinds:
                yield options.unknown("CUSTOMER", option, known)
