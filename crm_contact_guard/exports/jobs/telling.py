"""Notices about exports: one that waits for approval, to compliance officers; one that ended, to who asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exports.jobs import rights
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.notices import listing, topics
from crm_contact_guard.notices.models import Cadence
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line

EXPORT: Final = "export"
APPROVAL: Final = "export_approval"
READY: Final = "export_ready"
_State = ExportJob.State


def approval_tell(job: ExportJob) -> None:
    """Tell the compliance officers of the tenant, except the person who asked, that an export waits for them."""
    officers = Employee.objects.filter(tenant=job.tenant, role=Role.COMPLIANCE, active=True)
    tell(topic=APPROVAL, subject=(APPROVAL, job.pk), people=officers.exclude(pk=job.requested_by_id))


def ended_tell(job: ExportJob) -> None:
    """Notify the requester that the export is ready, has failed or was refused."""
    tell(topic=EXPORT, subject=(EXPORT, job.pk), people=[job.requested_by])
    if job.state == _State.READY:
        tell(topic=READY, subject=(EXPORT, job.pk), people=[])


def settled(job: ExportJob) -> None:
    """Mark the notices that ask for approval as read."""
    listing.settled(APPROVAL, job.pk)


def _ended(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is None:
        return {}
    words = {
        _State.READY: _("Your export is ready"),
        _State.FAILED: _("Your export failed"),
        _State.REFUSED: _("Your export was refused"),
    }
    found = ExportJob.objects.filter(pk__in=ids, requested_by=person, state__in=list(words))
    return {str(job.pk): _line(job, words[_State(job.state)]) for job in found}


def _waiting(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    found = ExportJob.objects.filter(pk__in=ids, state=_State.WAITING).select_related("requested_by")
    return {
        str(job.pk): _line(job, _("An export by %(name)s waits for approval") % {"name": job.requested_by.name})
        for job in found
        if person is not None and rights.may_decide(person, job)
    }


def _ready(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is not None:
        return {}
    return {str(job.pk): _line(job, _("An export is ready")) for job in ExportJob.objects.filter(pk__in=ids)}


def _line(job: ExportJob, text: str) -> Line:
    path = reverse("crm_contact_guard:export", args=[job.pk])
    return Line(text=text, path=path, since=job.finished_at or job.requested_at)


topics.register_event(READY, "export.ready", gettext_lazy("An export is ready"), _ready)
topics.register(
    topics.Topic(
        name=EXPORT,
        label=gettext_lazy("An export of yours"),
        many=gettext_lazy("Exports of yours"),
        lines=_ended,
        cadence=Cadence.AT_ONCE,
        roles=frozenset({Role.COMPLIANCE, Role.AUDITOR}),
    ),
    topics.Topic(
        name=APPROVAL,
        label=gettext_lazy("An export that waits for approval"),
        many=gettext_lazy("Exports that wait for approval"),
        lines=_waiting,
        cadence=Cadence.AT_ONCE,
        roles=frozenset({Role.COMPLIANCE}),
    ),
)
