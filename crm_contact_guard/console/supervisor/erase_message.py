"""Erase a message's content, starting from an alert about sensitive data."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.forms import EraseForm
from crm_contact_guard.console.page import page, show
from crm_contact_guard.console.supervisor import alerts
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.supervision.erase_message import erase_sensitive


@page("POST")
def erase(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Erase the content of ``message``. Requires a reason and a ticked confirmation.

    If the erasure is not possible, show the alert again with what was typed.
    """
    row = alerts.find(viewer, pk)
    if not permissions.may_erase(viewer, row):
        raise NotPermitted(_("Compliance officers and the team's supervisor erase messages."))
    form = EraseForm(request.POST)
    try:
        message_id = UUID(request.POST.get("message", ""))
    except ValueError:
        return redirect("crm_contact_guard:alert", pk)
    status = 422
    if form.is_valid():
        try:
            erase_sensitive(alert=row, message_id=message_id, actor=viewer, reason=form.cleaned_data["reason"])
        except InvalidMessage as error:
            form.add_error(None, str(error))
            status = 409
        else:
            return redirect("crm_contact_guard:alert", pk)
    shown = alerts.alert_page(viewer, row, erase_form=form, erasing=message_id)
    return show(request, viewer, shown, status=status)
