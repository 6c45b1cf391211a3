"""A person's views of the queue: keep, change and remove them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from crm_contact_guard.console.page import page, show
from crm_contact_guard.console.supervisor import queue_page
from crm_contact_guard.console.supervisor.filtering import Filters
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.supervision.queue_views import keeping


@page("POST")
def keep(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Keep the filters of the page under a name."""
    queue_page.supervising(viewer)
    name, first = request.POST.get("view_name", ""), "first" in request.POST
    query = _filters(request).query
    return _after(
        request, viewer, lambda: keeping.queue_view_keep(actor=viewer, name=name, query=query, is_default=first)
    )


@page("POST")
def change(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Rename a view, and choose whether the queue opens with it."""
    key = get_object_or_404(keeping.queue_views(viewer), pk=pk).pk
    name, first = request.POST.get("view_name", ""), "first" in request.POST
    return _after(
        request, viewer, lambda: keeping.queue_view_change(actor=viewer, view_id=key, name=name, is_default=first)
    )


@page("POST")
def remove(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Remove a view."""
    key = get_object_or_404(keeping.queue_views(viewer), pk=pk).pk
    return _after(request, viewer, lambda: keeping.queue_view_remove(actor=viewer, view_id=key))


def _after(request: HttpRequest, viewer: Employee, act: Callable[[], object]) -> HttpResponse:
    """Carry out the act and return to the same filters; if it isn't possible, say why and keep the name."""
    try:
        act()
    except InvalidMessage as error:
        name = request.POST.get("view_name", "")
        shown = queue_page.alerts_page(request, viewer, view_error=str(error), view_name=name)
        return show(request, viewer, shown, status=422)
    return redirect(f"{reverse('crm_contact_guard:alerts')}?{_filters(request).address}")


def _filters(request: HttpRequest) -> Filters:
    return Filters.read(QueryDict(request.POST.get("view", "")))[0]
