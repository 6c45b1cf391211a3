"""Who may call each service for exports: rows for ``tests/authorising/services.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exports import checking
from crm_contact_guard.exports.bundle_rows import Filters
from crm_contact_guard.exports.jobs import handing_out, repeating, requesting
from crm_contact_guard.exports.jobs.models import ExportJob, ExportSchedule

#: Eve exports her own tenant's record, which has nothing of this one.
EXPORTERS = {"compliance", "auditor", "eve"}

ROWS: dict[str, tuple[Callable[[Any, Employee], object], set[str]]] = {
    "exports.jobs.requesting.export_request": (
        lambda s, who: requesting.export_request(actor=who, purpose="Audit", filters=Filters()),
        EXPORTERS,
    ),
    "exports.jobs.requesting.export_approve": (
        lambda s, who: requesting.export_approve(job_id=s.exports["waiting"].pk, actor=who),
        {"compliance"},
    ),
    "exports.jobs.requesting.export_refuse": (
        lambda s, who: requesting.export_refuse(job_id=s.exports["waiting"].pk, actor=who, reason="Too wide"),
        {"compliance"},
    ),
    "exports.jobs.requesting.export_cancel": (
        lambda s, who: requesting.export_cancel(job_id=s.exports["waiting"].pk, actor=who),
        {"compliance", "auditor"},
    ),
    "exports.jobs.handing_out.export_download": (
        # Its file is missing, which is told only to those who may download it.
        lambda s, who: handing_out.export_download(job_id=s.exports["ready"].pk, actor=who),
        {"compliance", "auditor"},
    ),
    "exports.checking.verification_request": (
        lambda s, who: checking.verification_request(actor=who),
        EXPORTERS,
    ),
    "exports.jobs.repeating.schedule_make": (
        lambda s, who: repeating.schedule_make(actor=who, period="weekly", purpose="Audit", filters=Filters()),
        EXPORTERS,
    ),
    "exports.jobs.repeating.schedule_end": (
        lambda s, who: repeating.schedule_end(schedule_id=schedule().pk, actor=who),
        {"compliance", "auditor"},
    ),
}
#: They change or record nothing: the caller's own limits to a filter, a look-up, and a step of the services above.
WITHIN = {
    "exports.jobs.requesting.checked",
    "exports.jobs.requesting.own",
    "exports.jobs.requesting.job_or_refuse",
    "exports.jobs.requesting.record_job",
}


def exports(auditor: Employee) -> dict[str, ExportJob]:
    """An export of the auditor that waits for approval, and one that is ready."""
    given: dict[str, Any] = {"requested_by": auditor, "requested_at": timezone.now(), "purpose": "Audit"}
    given |= {"filters": "{}", "profile": "masked", "finished_at": timezone.now(), "bytes": 1}
    repeated(auditor)
    return {state: ExportJob.objects.create(**given, state=state) for state in ("ready", "waiting")}


def repeated(auditor: Employee) -> ExportSchedule:
    """A weekly export of the auditor."""
    now = timezone.now()
    return ExportSchedule.objects.create(
        made_by=auditor, made_at=now, next_at=now, period="weekly", purpose="Audit", filters="{}", profile="masked"
    )


def schedule() -> ExportSchedule:
    """The weekly export of the auditor."""
    return ExportSchedule.objects.get(made_by__role="auditor")
