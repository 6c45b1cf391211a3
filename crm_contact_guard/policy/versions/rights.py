"""Who may read and change the versions of the rules."""

from __future__ import annotations

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import sees_all


def may_read_policy(viewer: Employee) -> bool:
    """Whether the viewer may see the versions. Compliance officers and auditors may."""
    return sees_all(viewer)


def may_set_policy(viewer: Employee, tenant: str | None = None) -> bool:
    """Whether the viewer may publish versions (of ``tenant``, if given)."""
    return viewer.active and viewer.role == Role.COMPLIANCE and tenant in (None, viewer.tenant)
