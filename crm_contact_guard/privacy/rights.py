"""Permission to erase recorded content."""

from __future__ import annotations

from django.db.models import QuerySet

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import may_answer_subjects, watched_teams
from crm_contact_guard.record.models import Event, Message


def may_erase_rows(viewer: Employee, rows: QuerySet[Message] | QuerySet[Event]) -> bool:
    """Whether the viewer may erase all of ``rows``.

    Compliance officers may in their tenant, and supervisors and deputies in their teams' conversations. This is an
    upper limit, because the service that a person calls makes additional checks.
    """
    if not viewer.active or viewer.role == Role.AUDITOR:
        return False
    permitted = {"tenant": viewer.tenant}
    if may_answer_subjects(viewer):
        return not rows.exclude(**permitted).exists()
    return not rows.exclude(**permitted, conversation__team__in=watched_teams(viewer)).exists()
