"""Start a conversation with a customer of the CRM."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from crm_contact_guard import crm, permissions
from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.conversation.views import back_of
from crm_contact_guard.console.page import page
from crm_contact_guard.conversations.lifecycle import conversation_start
from crm_contact_guard.directory.mirror import customer_for
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.record.models import Conversation


@page("POST")
def start(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Open a conversation with a customer of the CRM, given as ``id`` (our ID) or ``customer`` (the host's key)."""
    key = _key_of(viewer, request.POST.get("id", "")) or request.POST.get("customer", "")
    try:
        with crm.tenant(viewer.tenant):
            customer = customer_for(key)
    except LookupError as error:
        raise NotPermitted(_("The CRM does not know this customer.")) from error
    own = permissions.own_conversations(viewer).filter(customer=customer, state=Conversation.State.OPEN)
    row = own.order_by("-created_at").first()
    if row is None:
        if not permissions.may_start(viewer, customer):
            raise NotPermitted(_("Another colleague looks after this customer."))
        offered = channel_choices.choices(customer)
        if not offered:
            raise NotPermitted(_("There is no company channel that reaches this customer."))
        row = conversation_start(actor=viewer, customer=customer, channel=offered[0].alias)
    return redirect(back_of(request, row, otherwise=reverse("crm_contact_guard:inbox_conversation", args=[row.pk])))


def _key_of(viewer: Employee, pk: str) -> str:
    """Return the host's key for our customer ID ``pk``, or "" if there is no such customer.

    Our pages use this ID instead of the host's key, since the key may be an address.
    """
    try:
        found = Customer.objects.filter(pk=UUID(pk), tenant=viewer.tenant).first()
    except ValueError:
        return ""
    return (found.key or "") if found is not None else ""
