"""The employee's own page: what is recorded and flagged about them, who looked, and what they say about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation.reasons import reason
from crm_contact_guard.console.own.remarks import Remark, remarks_of
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.models import Alert, Finding, Inspection
from crm_contact_guard.supervision.own_view.remarks import flag_remark
from crm_contact_guard.supervision.own_view.seeing import own_flags, own_refusals, own_views
from crm_contact_guard.supervision.showing import shown

#: Number of alerts listed.
LISTED = 100
_PURPOSES: dict[str, Any] = {
    "conversation": gettext_lazy("read the conversation"),
    "alert": gettext_lazy("looked at an alert"),
    "consultation": gettext_lazy("looked at a consultation"),
}


@dataclass(frozen=True)
class View:
    """Somebody's look at one of the viewer's conversations."""

    event: Event
    name: str
    words: str


@dataclass(frozen=True)
class OwnPage(Shown):
    template = "own/page.html"

    flags: Sequence[Alert]
    refusals: Sequence[Inspection]
    views: Sequence[View]


@dataclass(frozen=True)
class Evidence:
    """A finding: why it was made, in which words, by which rule and version. ``text`` is "" if it can't be shown."""

    finding: Finding
    reason: str
    text: str


@dataclass(frozen=True)
class FlagPage(Shown):
    template = "own/flag.html"

    alert: Alert
    evidence: Sequence[Evidence]
    remarks: Sequence[Remark]
    error: str = ""
    text: str = ""


@page()
def own(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show what is recorded and flagged about the viewer, what stands to their credit, and who looked."""
    flags = own_flags(viewer).select_related("conversation__customer").order_by("-opened_at", "-pk")[:LISTED]
    views = own_views(viewer)
    people = dict(Employee.objects.filter(pk__in={event.actor for event in views}).values_list("pk", "name"))
    names = {str(key): name for key, name in people.items()}
    listed = [View(event, names.get(event.actor, ""), _purpose(event)) for event in views]
    return show(request, viewer, OwnPage(list(flags), own_refusals(viewer), listed))


@page("GET", "HEAD", "POST")
def flag(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show one alert about the viewer with its reasons, or take a comment or a contest."""
    row = get_object_or_404(own_flags(viewer).select_related("conversation__customer"), pk=pk)
    if request.method != "POST":
        return show(request, viewer, _flag_page(viewer, row))
    text, kind = request.POST.get("text", ""), request.POST.get("kind", "")
    try:
        flag_remark(alert_id=row.pk, actor=viewer, kind=kind, text=text)
    except (AlreadyClosed, InvalidMessage) as error:
        status = 409 if isinstance(error, AlreadyClosed) else 422
        return show(request, viewer, _flag_page(viewer, row, error=str(error), text=text), status=status)
    return redirect("crm_contact_guard:own_flag", pk)


def _purpose(event: Event) -> str:
    if event.kind == "view.unmasked":
        return _("saw the customer's addresses")
    return str(_PURPOSES.get(json.loads(event.data).get("purpose", ""), _PURPOSES["conversation"]))


def _flag_page(viewer: Employee, row: Alert, *, error: str = "", text: str = "") -> FlagPage:
    readable = permissions.conversations(viewer).filter(pk=row.conversation_id).exists()
    findings = row.findings.select_related("message").order_by("message__occurred_at", "start")
    return FlagPage(
        alert=row,
        evidence=[
            Evidence(
                finding=one,
                reason=reason(one.detector, one.kind),
                text=shown(one.message.text) if readable and one.message.text else "",
            )
            for one in findings
        ],
        remarks=remarks_of(row),
        error=error,
        text=text,
    )
