"""Closing several alerts of the queue in one act: those selected, or all that match the filters."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.page import page, show
from crm_contact_guard.console.supervisor import queue_page
from crm_contact_guard.console.supervisor.filtering import Filters
from crm_contact_guard.console.supervisor.undoing import Done
from crm_contact_guard.console.supervisor.versions import moment
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.supervision.handling.bulk import MOST, alerts_close, alerts_undo


@page("POST")
def close(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Close the selected alerts, or all that match if their number is still the confirmed one."""
    _deciding(viewer)
    form = request.POST
    comment = form.get("comment", "")
    try:
        seen = _all(request, viewer) if form.get("all") else _selected(form.getlist("alert"))
        outcome = alerts_close(seen=seen, reviewer=viewer, resolution=form.get("resolution", ""), comment=comment)
    except InvalidMessage as error:
        words = _("Choose how this ends before closing it.") if error.field == "resolution" else str(error)
        shown = queue_page.alerts_page(request, viewer, error=words, comment=comment)
        return show(request, viewer, shown, status=422)
    done = Done(count=outcome.closed, batch=outcome.batch, changed=outcome.changed)
    return show(request, viewer, queue_page.alerts_page(request, viewer, done=done))


@page("POST")
def undo(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Take back the viewer's closes of one act."""
    _deciding(viewer)
    with suppress(ValueError):
        alerts_undo(batch=str(UUID(request.POST.get("batch", ""))), reviewer=viewer)
    view = Filters.read(QueryDict(request.POST.get("view", "")))[0].address
    return redirect(f"{reverse('crm_contact_guard:alerts')}?{view}")


def _deciding(viewer: Employee) -> None:
    queue_page.supervising(viewer)
    if viewer.role == Role.AUDITOR:
        raise NotPermitted(_("Auditors read and export; they decide nothing."))


def _selected(chosen: list[str]) -> Mapping[UUID, datetime]:
    """Return when each selected alert was last changed, as far as the viewer saw."""
    try:
        # A row may stand for several alerts.
        pairs = [one.split(":") for value in chosen[: MOST + 1] for one in value.split(",")]
        return {UUID(key): moment(int(version)) for key, version in pairs}
    except (ValueError, OverflowError) as error:
        raise InvalidMessage(_("Choose the alerts again."), field="alerts") from error


def _all(request: HttpRequest, viewer: Employee) -> Mapping[UUID, datetime]:
    """Return the matching alerts that haven't changed since the page was made.

    Raise InvalidMessage if that are more than the viewer confirmed.
    """
    filters, _ignored = Filters.read(QueryDict(request.POST.get("view", "")))
    try:
        as_of, confirmed = moment(int(request.POST.get("as_of", ""))), int(request.POST.get("count", ""))
    except (ValueError, OverflowError) as error:
        raise InvalidMessage(_("Choose the alerts again."), field="alerts") from error
    found = permissions.alerts(viewer).filter(filters.q, updated_at__lte=as_of)
    rows = dict(found.values_list("pk", "updated_at")[: MOST + 1])
    if len(rows) > confirmed:
        message = _("The number that matches is now %(count)d. Confirm it.") % {"count": len(rows)}
        raise InvalidMessage(message, field="count")
    return rows
