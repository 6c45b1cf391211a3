"""Ask for an export, approve, refuse or cancel it. Each act is recorded with the export's filter and purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.exports import formats as known
from crm_contact_guard.exports.bundle_rows import Filters
from crm_contact_guard.exports.jobs import rights, telling
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.exports.profiles import Profile
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.canonical import canonical_json, canonical_text
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event

MAX_PURPOSE: Final = 2000
#: How many open exports one person may have.
MOST_OPEN: Final = 5
_State = ExportJob.State


@database.atomic()
def export_request(
    *,
    actor: Employee,
    purpose: str,
    filters: Filters,
    formats: Sequence[str] = (),
    profile: str = Profile.MASKED,
    attachments: bool = True,
) -> ExportJob:
    """Ask for a bundle of the actor's tenant. It starts after the commit, or once a second person has approved it.

    ``formats``: further renderings, by the names in ``exports.formats``. Raise NotPermitted; or InvalidMessage if there
    is no purpose, a format or profile is unknown, or the actor has too many open exports.
    """
    asked = checked(
        actor=actor, purpose=purpose, filters=filters, formats=formats, profile=profile, attachments=attachments
    )
    if ExportJob.objects.filter(requested_by=actor, state__in=ExportJob.OPEN).count() >= MOST_OPEN:
        raise InvalidMessage(_("You have too many unfinished exports. Wait for one, or cancel it."), field="purpose")
    waits = rights.needs_approval()
    job = ExportJob.objects.create(
        **asked,
        requested_by=actor,
        requested_at=timezone.now(),
        state=_State.WAITING if waits else _State.QUEUED,
    )
    record_job(job, "export.requested", actor)
    if waits:
        telling.approval_tell(job)
    else:
        later("export", str(job.pk))
    return job


def checked(
    *,
    actor: Employee,
    purpose: str,
    filters: Filters,
    formats: Sequence[str],
    profile: str,
    attachments: bool,
) -> dict[str, Any]:
    """Return the columns that say what an export contains. Raise NotPermitted or InvalidMessage."""
    if not rights.may_export(actor):
        raise NotPermitted(_("You may not export the record."))
    if profile == Profile.FULL and not permissions.may_unmask(actor):
        raise NotPermitted(_("You may not see unmasked addresses."))
    purpose = canonical_text(purpose).strip()
    if not purpose or len(purpose) > MAX_PURPOSE:
        raise InvalidMessage(_("Say what the export is for."), field="purpose")
    if profile not in Profile.values:
        raise InvalidMessage(_("There is no such profile."), field="profile")
    unknown = set(formats) - set(known.available())
    if unknown:
        raise InvalidMessage(_("There is no format %(name)s.") % {"name": ", ".join(sorted(unknown))}, field="formats")
    return {
        "tenant": actor.tenant,
        "purpose": purpose,
        "filters": canonical_json(own(filters, actor).texts()),
        "formats": ",".join(name for name in known.available() if name in formats),
        "profile": profile,
        "attachments": attachments,
    }


@database.atomic()
def export_approve(*, job_id: UUID, actor: Employee) -> ExportJob:
    """Approve an export, which then starts. Raise NotPermitted, also to the person who asked; or NotPossible."""
    job = _decide(job_id, actor, _State.QUEUED, "export.approved")
    later("export", str(job.pk))
    return job


@database.atomic()
def export_refuse(*, job_id: UUID, actor: Employee, reason: str) -> ExportJob:
    """Refuse an export with a reason. Raise NotPermitted, InvalidMessage or NotPossible."""
    reason = canonical_text(reason).strip()[:MAX_PURPOSE]
    if not reason:
        raise InvalidMessage(_("Say why."), field="reason")
    job = _decide(job_id, actor, _State.REFUSED, "export.refused", reason)
    telling.ended_tell(job)
    return job


@database.atomic()
def export_cancel(*, job_id: UUID, actor: Employee) -> ExportJob:
    """Cancel an export that isn't finished. A running one stops at its next part, and nothing of it is kept.

    Raise NotPermitted or NotPossible.
    """
    job = job_or_refuse(job_id, actor)
    if not rights.may_cancel(actor, job):
        raise NotPermitted(_("You may not cancel this export."))
    _change(job, ExportJob.OPEN, state=_State.CANCELLED, finished_at=timezone.now())
    record_job(job, "export.cancelled", actor)
    telling.settled(job)
    return job


def own(filters: Filters, actor: Employee) -> Filters:
    """Return the filters limited to the actor's tenant. If there is no other, the whole record can be exported."""
    is_only = not actor.tenant and not Employee.objects.exclude(tenant="").exists()
    return replace(filters, tenant=None if is_only else actor.tenant)


def job_or_refuse(job_id: UUID, actor: Employee) -> ExportJob:
    """Return the job. Raise NotPermitted if the actor may not see it."""
    job = rights.jobs(actor).filter(pk=job_id).first()
    if job is None:
        raise NotPermitted(_("You may not see this export."))
    return job


def record_job(job: ExportJob, kind: str, actor: Employee | None, reason: str | None = None) -> Event:
    """Record a step of a job in the caller's transaction. ``actor`` is None for the worker."""
    return record_event(
        kind=kind,
        subject_type="export_job",
        subject_id=job.pk,
        by=actor,
        tenant=job.tenant,
        reason=reason,
        row=job,
    )


def _decide(job_id: UUID, actor: Employee, state: ExportJob.State, kind: str, reason: str = "") -> ExportJob:
    job = job_or_refuse(job_id, actor)
    if not rights.may_decide(actor, job):
        raise NotPermitted(_("Another compliance officer has to decide on this export."))
    now = timezone.now()
    ended = {"finished_at": now, "remark": reason} if state == _State.REFUSED else {}
    _change(job, (_State.WAITING,), state=state, decided_by=actor, decided_at=now, **ended)
    record_job(job, kind, actor, reason or None)
    telling.settled(job)
    return job


def _change(job: ExportJob, states: Sequence[str], **values: object) -> None:
    """Change a job that is in one of these states. The number of updated rows decides who was first."""
    if not ExportJob.objects.filter(pk=job.pk, state__in=states).update(**values):
        raise NotPossible(_("This export has already ended, or somebody has decided on it."))
    job.refresh_from_db()
