"""Who may see a consultation: the employee, whoever was asked, and compliance officers. Team-mates never do."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from crm_contact_guard.conversations.rights import conversations, may_write
from crm_contact_guard.directory.absences import stood_in_for
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import watched
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.consulting.models import Consultation


def consultations(viewer: Employee) -> QuerySet[Consultation]:
    """Return the consultations that the viewer has a part in. Auditors have none."""
    rows = Consultation.objects.filter(tenant=viewer.tenant)
    if not viewer.active or viewer.role == Role.AUDITOR:
        return rows.none()
    if viewer.role == Role.COMPLIANCE:
        return rows
    away = stood_in_for(viewer)
    lent = Q(addressee__in=away) & ~Q(employee__in=away)
    teams = Q(to_compliance=False) & watched(viewer, team="team", concerned="employee")
    return rows.filter(Q(employee=viewer) | Q(addressee=viewer) | lent | teams)


def may_help(viewer: Employee, consultation: Consultation) -> bool:
    """Whether the viewer may take steps and decide how the consultation ends, which the employee doesn't."""
    return consultation.employee_id != viewer.pk and consultations(viewer).filter(pk=consultation.pk).exists()


def may_consult(viewer: Employee, conversation: Conversation) -> bool:
    """Whether the viewer may open a consultation about the conversation, for themselves or for its employee."""
    if not viewer.active or viewer.role == Role.AUDITOR:
        return False
    if conversation.employee_id == viewer.pk or may_write(viewer, conversation):
        return True
    return conversation.employee_id is not None and conversations(viewer).filter(pk=conversation.pk).exists()
