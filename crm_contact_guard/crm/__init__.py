"""The only door to the host CRM: what we ask of it (``CRMAdapter``), and an adapter that needs settings only.

A host's rows are known outside of it by opaque text keys.
"""

from crm_contact_guard.crm.chosen import adapter, current_tenant, has_contexts, is_outside, tenant
from crm_contact_guard.crm.contract import AddressRecord, CRMAdapter, CustomerRecord, EmployeeRecord, TeamRecord
from crm_contact_guard.crm.declarative import DeclarativeAdapter

__all__ = [
    "AddressRecord",
    "CRMAdapter",
    "CustomerRecord",
    "DeclarativeAdapter",
    "EmployeeRecord",
    "TeamRecord",
    "adapter",
    "current_tenant",
    "has_contexts",
    "is_outside",
    "tenant",
]
