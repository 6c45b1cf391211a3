"""The page of one consultation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.shortcuts import get_object_or_404

from crm_contact_guard import permissions
from crm_contact_guard.console.consulting.forms import CloseForm, ReplyForm
from crm_contact_guard.console.consulting.measure_forms import Measures, measures_for
from crm_contact_guard.console.consulting.steps import Step, steps
from crm_contact_guard.console.conversation.line import Line, lines
from crm_contact_guard.console.page import Shown
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Message
from crm_contact_guard.supervision.consulting.models import Consultation


@dataclass(frozen=True)
class ConsultationPage(Shown):
    template = "consulting/detail.html"

    consultation: Consultation
    #: The messages that it is about; empty if the viewer may no longer read the conversation.
    lines: Sequence[Line]
    readable: bool
    steps: Sequence[Step]
    #: Whether the viewer is the employee who is helped.
    own: bool
    measures: Measures
    reply_form: ReplyForm
    close_form: CloseForm
    error: str = ""


def find(viewer: Employee, pk: UUID) -> Consultation:
    """Return the consultation. Raise Http404 if the viewer has no part in it."""
    rows = permissions.consultations(viewer).select_related(
        "conversation__customer", "conversation__employee", "conversation__team", "employee", "addressee"
    )
    return get_object_or_404(rows, pk=pk)


def consultation_page(
    viewer: Employee,
    row: Consultation,
    *,
    reply_form: ReplyForm | None = None,
    close_form: CloseForm | None = None,
    measures: Measures | None = None,
    error: str = "",
) -> ConsultationPage:
    """Return the page of a consultation, with forms that were filled in before."""
    readable = permissions.conversations(viewer).filter(pk=row.conversation_id).exists()
    return ConsultationPage(
        consultation=row,
        lines=_lines(viewer, row.messages) if readable else [],
        readable=readable,
        steps=steps(row),
        own=row.employee_id == viewer.pk,
        measures=measures or measures_for(viewer, row),
        reply_form=reply_form or ReplyForm(),
        close_form=close_form or CloseForm(),
        error=error,
    )


def _lines(viewer: Employee, keys: Sequence[str]) -> list[Line]:
    rows = Message.objects.filter(pk__in=keys).select_related("delivery", "employee", "customer")
    return lines(list(rows.order_by("occurred_at", "id")), permissions.findings(viewer))
