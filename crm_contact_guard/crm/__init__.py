"""The interface to the host CRM (``CRMAdapter``), and an adapter that is configured by settings only.

All other code refers to the host's rows by opaque text keys.
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
