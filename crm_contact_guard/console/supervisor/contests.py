"""The reviewer's answer to an employee who contests an alert."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.page import page, show
from crm_contact_guard.console.supervisor.alerts import alert_page, find
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.own_view.remarks import contest_answer


@page("POST")
def answer(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Answer a contest, as the reviewer of its alert."""
    row = get_object_or_404(FlagRemark.objects.filter(alert__in=permissions.alerts(viewer)), pk=pk)
    if not permissions.may_review(viewer, row.alert):
        raise NotPermitted(_("Auditors read and export; they decide nothing."))
    try:
        contest_answer(
            remark_id=row.pk,
            reviewer=viewer,
            outcome=request.POST.get("outcome", ""),
            text=request.POST.get("text", ""),
        )
    except (AlreadyClosed, InvalidMessage) as error:
        shown_again = alert_page(viewer, find(viewer, row.alert_id), error=str(error))
        return show(request, viewer, shown_again, status=409 if isinstance(error, AlreadyClosed) else 422)
    return redirect("crm_contact_guard:alert", row.alert_id)
