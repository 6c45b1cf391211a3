"""Identify the customer in a conversation by searching the CRM and choosing a customer."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation.talk import Search, find, talk
from crm_contact_guard.console.conversation.views import ConversationPage
from crm_contact_guard.console.page import page, show
from crm_contact_guard.conversations.identity import customer_identify
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.viewing.candidates import candidates


@page("GET", "HEAD", "POST")
def identify(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Search for customers matching ``q``. On POST, identify the conversation's customer as ``customer``."""
    row = find(viewer, pk)
    if not permissions.may_identify_customer(viewer, row):
        raise NotPermitted(_("You can't say who this customer is."))
    words = request.POST.get("q", request.GET.get("q", ""))[:100]
    if request.method == "POST":
        chosen = _customer(request.POST.get("customer", ""))
        if not permissions.may_identify_as(viewer, chosen):
            raise NotPermitted(_("You can't say who this customer is."))
        try:
            customer_identify(conversation=row, customer=chosen, actor=viewer)
        except InvalidMessage as error:
            return _page(request, viewer, row, Search(words, [], str(error)), status=422)
        if permissions.conversations(viewer).filter(pk=row.pk).exists():
            return redirect("crm_contact_guard:conversation", row.pk)
        # The conversation now belongs to the customer's owner, and the viewer may no longer read it.
        return redirect("crm_contact_guard:inbox")
    return _page(request, viewer, row, Search(words.strip(), candidates(viewer, words, but=row.customer)))


def _customer(key: str) -> Customer:
    try:
        return get_object_or_404(Customer, pk=UUID(key))
    except ValueError:
        return get_object_or_404(Customer.objects.none())


def _page(
    request: HttpRequest, viewer: Employee, row: Conversation, search: Search, *, status: int = 200
) -> HttpResponse:
    return show(request, viewer, ConversationPage(talk(request, viewer, row, search=search)), status=status)
