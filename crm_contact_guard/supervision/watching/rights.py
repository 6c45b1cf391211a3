"""Who may see and close unusual readings: compliance officers, never the reader. Auditors may see them."""

from __future__ import annotations

from django.db.models import QuerySet

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import sees_all
from crm_contact_guard.supervision.watching.models import UnusualReading


def unusual_readings(viewer: Employee) -> QuerySet[UnusualReading]:
    """Return the unusual readings that the viewer may see, which are never the viewer's own."""
    rows = UnusualReading.objects.filter(tenant=viewer.tenant)
    return rows.exclude(reader=viewer) if sees_all(viewer) else rows.none()


def may_judge(viewer: Employee, row: UnusualReading) -> bool:
    """Whether the viewer may close the row."""
    return viewer.role == Role.COMPLIANCE and unusual_readings(viewer).filter(pk=row.pk).exists()
