"""The views that take measures from a consultation's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from crm_contact_guard.console.consulting import detail
from crm_contact_guard.console.consulting.measure_forms import FORMS, measures_for
from crm_contact_guard.console.page import page, show
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.supervision.consulting import measures
from crm_contact_guard.supervision.consulting.models import Consultation

#: How a field of the service is called in the forms.
_FIELDS = {"ends_at": "ends_on", "review_at": "review_on"}


def _measure(name: str, act: Callable[[Employee, Consultation, Any], object]) -> Callable[..., HttpResponseBase]:
    """Return the view that takes the measure ``name`` with the values of its form."""

    @page("POST")
    def view(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
        return _take(request, viewer, pk, name, act)

    return view


#: Hand the conversation to a colleague or a team.
handover = _measure(
    "handover",
    lambda viewer, row, form: measures.customer_hand_over(
        consultation=row, actor=viewer, reason=form.cleaned_data["reason"], **form.recipient()
    ),
)
#: Limit the customer's contact.
restrict = _measure(
    "restrict",
    lambda viewer, row, form: measures.customer_restrict(consultation=row, actor=viewer, **form.arguments()),
)
#: End a limit before its time.
lift = _measure(
    "lift",
    lambda viewer, row, form: measures.customer_release(
        consultation=row,
        actor=viewer,
        restriction_id=form.cleaned_data["restriction"],
        reason=form.cleaned_data["reason"],
    ),
)
#: Record that the company turned to the police or a lawyer.
outside = _measure(
    "outside",
    lambda viewer, row, form: measures.outside_help_note(consultation=row, actor=viewer, **form.cleaned_data),
)


def _take(
    request: HttpRequest, viewer: Employee, pk: UUID, name: str, act: Callable[[Employee, Consultation, Any], object]
) -> HttpResponse:
    """Take a measure. If that fails, show the page again with what was typed."""
    row = detail.find(viewer, pk)
    form = FORMS[name](row, request.POST)
    if form.is_valid():
        try:
            act(viewer, row, form)
        except InvalidMessage as error:
            field = _FIELDS.get(error.field, error.field)
            form.add_error(field if field in form.fields else None, str(error))
        else:
            return redirect("crm_contact_guard:consultation", pk)
    shown = detail.consultation_page(viewer, row, measures=measures_for(viewer, row, {name: form}))
    return show(request, viewer, shown, status=422)
