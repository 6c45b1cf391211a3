"""Declares how the columns of export jobs follow from recorded events."""

from __future__ import annotations

from typing import Final

from crm_contact_guard.exports.jobs import telling  # noqa: F401 - registers the topics of notices
from crm_contact_guard.exports.jobs.models import ExportJob, ExportSchedule
from crm_contact_guard.record.following import BySubject, Column, Elsewhere, Follows, Recorded, Unproven, follows

_PERSONAL: Final = frozenset({"purpose", "filters", "remark"})
_NOTES: Final[dict[str, Column]] = dict.fromkeys(
    ("attempts", "lease_until", "work", "done", "total", "cleared"),
    Unproven("notes of the worker; with wrong ones, the bundle is written again or does not verify"),
)

follows(
    Follows(
        model=ExportJob,
        events=BySubject(
            subject="export_job",
            born=("export.requested",),
            more=tuple(
                f"export.{step}"
                for step in ("approved", "refused", "started", "ready", "failed", "cancelled", "expired")
            ),
            is_new=True,
        ),
        columns={
            "id": Elsewhere("the events that made the row name it"),
            **{
                field.attname: _NOTES.get(field.attname, Recorded(personal=field.attname in _PERSONAL))
                for field in ExportJob._meta.concrete_fields
                if not field.primary_key
            },
        },
    )
)

follows(
    Follows(
        model=ExportSchedule,
        events=BySubject(
            subject="export_schedule",
            born=("export_schedule.made",),
            more=("export_schedule.ran", "export_schedule.ended"),
            is_new=True,
        ),
        columns={
            "id": Elsewhere("the events that made the row name it"),
            **{
                field.attname: Recorded(personal=field.attname in _PERSONAL)
                for field in ExportSchedule._meta.concrete_fields
                if not field.primary_key
            },
        },
    )
)
