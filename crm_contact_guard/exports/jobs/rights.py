"""Who exports, who approves, and who sees which exports."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet

from crm_contact_guard import permissions
from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.exports.jobs.models import ExportJob, ExportSchedule
from crm_contact_guard.exports.profiles import Profile

#: The roles that read the whole record. Only they can be allowed to export it.
_READERS: Final = (Role.COMPLIANCE, Role.AUDITOR)
#: Industries whose exports need a second person's approval unless ``EXPORT_APPROVAL`` says otherwise.
_CAUTIOUS: Final = ("finance", "healthcare")


def export_roles() -> frozenset[str]:
    """Return the setting ``EXPORT_ROLES``. Raise ConfigurationError if it names another role than the readers'."""
    roles = frozenset(settings.EXPORT_ROLES)
    if not roles <= frozenset(_READERS):
        names = " and ".join(repr(role.value) for role in _READERS)
        raise ConfigurationError(f'CONTACT_GUARD["EXPORT_ROLES"] = {settings.EXPORT_ROLES!r}: only {names} can export')
    return roles


def needs_approval() -> bool:
    """Whether a second person has to approve each export: the setting ``EXPORT_APPROVAL``, or else the industry."""
    if settings.EXPORT_APPROVAL is None:
        return settings.INDUSTRY in _CAUTIOUS
    return bool(settings.EXPORT_APPROVAL)


def may_export(viewer: Employee) -> bool:
    """Whether the viewer may export the record of their tenant."""
    return permissions.may_read_record(viewer) and viewer.role in export_roles()


def may_read_exports(viewer: Employee) -> bool:
    """Whether the viewer may see the list of exports, as everybody who reads the whole record may."""
    return permissions.may_read_record(viewer)


def profiles(viewer: Employee) -> list[Profile]:
    """Return the profiles that the viewer may choose. Addresses are only for those who may unmask them."""
    return [profile for profile in Profile if profile is not Profile.FULL or permissions.may_unmask(viewer)]


def jobs(viewer: Employee) -> QuerySet[ExportJob]:
    """Return the exports that the viewer may see: all in the tenant, for those who read the record."""
    rows = ExportJob.objects.filter(tenant=viewer.tenant)
    return rows if permissions.may_read_record(viewer) else rows.none()


def may_decide(viewer: Employee, job: ExportJob) -> bool:
    """Whether the viewer may approve or refuse the export: compliance officers, but not for their own."""
    is_officer = viewer.active and viewer.role == Role.COMPLIANCE and viewer.tenant == job.tenant
    return is_officer and viewer.pk != job.requested_by_id


def may_cancel(viewer: Employee, job: ExportJob) -> bool:
    """Whether the viewer may cancel the export: the person who asked for it, and compliance officers."""
    own = viewer.active and viewer.pk == job.requested_by_id
    return own or may_decide(viewer, job)


def may_end(viewer: Employee, schedule: ExportSchedule) -> bool:
    """Whether the viewer may end a repeated export: the person who asked for it, and compliance officers."""
    is_officer = viewer.role == Role.COMPLIANCE and viewer.tenant == schedule.tenant
    return viewer.active and (viewer.pk == schedule.made_by_id or is_officer)


def may_download(viewer: Employee, job: ExportJob) -> bool:
    """Whether the viewer may download the bundle.

    Those who may export may, but a bundle with addresses only if they may unmask addresses.
    """
    if not may_export(viewer) or viewer.tenant != job.tenant:
        return False
    return job.profile != Profile.FULL or permissions.may_unmask(viewer)
