"""Open a case. Every view is recorded, also that of the employee whom the case concerns."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.access import record_view
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.cases.models import Case, CaseLetter
from crm_contact_guard.supervision.cases.showing import View, view_of


def case_view(viewer: Employee, case: Case) -> View:
    """Return the case as the viewer sees it, and record the view, also of its conversations."""
    record_event(
        kind="view.case",
        subject_type="case",
        subject_id=case.pk,
        by=viewer,
        tenant=case.tenant,
    )
    talks = Conversation.objects.filter(pk__in=case.evidence.values("conversation"))
    for talk in talks:
        if not permissions.is_party(viewer, talk):
            record_view(viewer=viewer, conversation=talk, purpose="case", subject_id=str(case.pk))
    return view_of(viewer, case)


def letter_view(viewer: Employee, case: Case, letter_id: UUID) -> CaseLetter:
    """Return a letter of a case that the viewer may read, and record the view. Raise Http404 if there is none."""
    letter = case.letters.select_related("created_by").filter(pk=letter_id).first()
    if letter is None:
        raise Http404
    record_event(
        kind="view.case",
        subject_type="case",
        subject_id=case.pk,
        by=viewer,
        tenant=case.tenant,
        data={"letter": str(letter.pk)},
    )
    return letter
