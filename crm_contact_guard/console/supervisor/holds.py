"""The page of held messages, on which supervisors decide, with the messages that were sent as an emergency."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation.line import Line, lines
from crm_contact_guard.console.conversation.shown_waits import OTHERWISE, WHY
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.record.models import Event
from crm_contact_guard.sending import holds as services
from crm_contact_guard.viewing.conversations import still_seen

#: Number of held messages, and of emergencies, on the page.
SHOWN = 50
_EMERGENCIES = timedelta(days=7)


@dataclass(frozen=True)
class Held:
    """A held message: why it was held, what its writer says about it, and the form."""

    line: Line
    wait: Wait
    why: Sequence[Any]
    writer_says: str
    may_decide: bool
    typed: str = ""
    open: bool = False


@dataclass(frozen=True)
class HoldsPage(Shown):
    template = "holds/list.html"

    held: Sequence[Held]
    emergencies: Sequence[Event]
    error: str = ""


@page()
def holds(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """List the messages that wait for a decision, the most urgent first."""
    return _page(request, viewer)


@page("POST")
def approve(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Let a held message go."""
    return _decide(request, viewer, pk, lambda: services.hold_approve(actor=viewer, message_id=pk))


@page("POST")
def send_back(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Return a held message to its writer with a remark."""
    remark = request.POST.get("reason", "")
    return _decide(request, viewer, pk, lambda: services.hold_return(actor=viewer, message_id=pk, remark=remark))


@page("POST")
def reject(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Reject a held message with a reason."""
    reason = request.POST.get("reason", "")
    return _decide(request, viewer, pk, lambda: services.hold_reject(actor=viewer, message_id=pk, reason=reason))


def _decide(request: HttpRequest, viewer: Employee, pk: UUID, act: Callable[[], object]) -> HttpResponse:
    try:
        act()
    except NotPossible as error:
        return _page(request, viewer, error=str(error), status=409)
    except InvalidMessage as error:
        return _page(request, viewer, error=str(error), opened=pk, status=422)
    return redirect("crm_contact_guard:holds")


def _page(
    request: HttpRequest, viewer: Employee, *, error: str = "", opened: UUID | None = None, status: int = 200
) -> HttpResponse:
    if not permissions.is_supervising(viewer):
        raise NotPermitted(_("Held messages are decided on by supervisors."))
    waits = permissions.holds(viewer).select_related("message__conversation__customer", "message__employee")
    rows = list(waits.order_by("due_at")[:SHOWN])
    for conversation in {row.message.conversation_id: row.message.conversation for row in rows}.values():
        still_seen(viewer, conversation, "hold")
    typed = request.POST.get("reason", "")
    shown = [
        _held(viewer, row, line, typed if row.pk == opened else "", opened=row.pk == opened)
        for row, line in zip(rows, lines([row.message for row in rows], []), strict=True)
    ]
    return show(request, viewer, HoldsPage(shown, _emergencies(viewer), error), status=status)


def _held(viewer: Employee, row: Wait, line: Line, typed: str, *, opened: bool) -> Held:
    events = Event.objects.filter(message=row.pk).order_by("recorded_at").values_list("kind", "data", "reason")
    why: list[Any] = []
    says = ""
    for kind, data, reason in events:
        if kind in ("decision.hold", "delivery.held"):
            why += [WHY.get(code, OTHERWISE) for code in json.loads(data).get("reasons", [])]
        if kind.startswith("override."):
            says = reason or ""
    return Held(
        line=line,
        wait=row,
        why=list(dict.fromkeys(why)),
        writer_says=says,
        may_decide=permissions.may_decide(viewer, row),
        typed=typed,
        open=opened,
    )


def _emergencies(viewer: Employee) -> list[Event]:
    """Return the latest messages that were sent as an emergency, except the viewer's own."""
    since = timezone.now() - _EMERGENCIES
    rows = permissions.events(viewer).filter(kind="override.emergency", recorded_at__gte=since, message__isnull=False)
    others = rows.exclude(message__employee=viewer).select_related("message", "conversation__customer")
    return list(others.order_by("-recorded_at")[:SHOWN])
