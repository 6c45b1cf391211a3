"""Records each change to a notice, so that nobody can suppress a warning without leaving a trace."""

from __future__ import annotations

from crm_contact_guard.notices.models import Notice
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event


def record_notice(notice: Notice, kind: str, *, by_its_person: bool = False) -> None:
    """Record a change to a notice. ``by_its_person``: whether the person told made it, and not the system."""
    record_event(
        kind=kind,
        subject_type="notice",
        subject_id=str(notice.pk),
        actor_type=Event.ActorType.EMPLOYEE if by_its_person else Event.ActorType.SYSTEM,
        actor=notice.employee_id if by_its_person and notice.employee_id else "",
        conversation=notice.conversation,
        tenant=notice.employee.tenant if notice.employee is not None else "",
        row=notice,
    )
