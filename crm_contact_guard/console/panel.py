"""The conversation with one customer inside a page of the host.

``panel`` and ``assets`` are what a host's template has, by our tags or (Jinja2) as globals of its environment.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import SafeString

from crm_contact_guard import permissions
from crm_contact_guard.console import channel_choices
from crm_contact_guard.console.nonces import nonce_for
from crm_contact_guard.console.page import Frame, speaking
from crm_contact_guard.console.talk import talk
from crm_contact_guard.directory.mirror import customer_for, employee_for
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.viewing.conversations import seen

STYLES = ("tokens", "base", "thread", "composer", "queue", "inbox", "subjects")
SCRIPTS = ("live", "composer", "keys")


def assets(request: HttpRequest | None = None, *, htmx: bool = True, chat: bool = False) -> SafeString:
    """Links to our styles and scripts as HTML. ``htmx=False``: the page has htmx 2 already."""
    root = "crm_contact_guard"
    styles = [*STYLES, "chat"] if chat else STYLES
    context = {
        "styles": [static(f"{root}/css/{name}.css") for name in styles],
        "scripts": [static(f"{root}/js/{name}.js") for name in SCRIPTS],
        "htmx": static(f"{root}/vendor/htmx.min.js") if htmx else "",
        "nonce": nonce_for(request),
    }
    return render_to_string("crm_contact_guard/assets.html", context)


def panel(request: HttpRequest | None, host_customer: object) -> SafeString:
    """The panel as HTML; empty for a page without a request, without a customer, or for a person without a role."""
    viewer = employee_for(getattr(request, "user", None))
    if request is None or viewer is None or host_customer in (None, ""):
        return SafeString("")
    try:
        customer = customer_for(host_customer)
    except LookupError:
        return SafeString("")
    with speaking(request, viewer):
        context = {"guard": Frame(request, viewer), "viewer": viewer, **_context(request, viewer, customer)}
        return render_to_string("crm_contact_guard/panel.html", context, request=request)


def _context(request: HttpRequest, viewer: Employee, customer: Customer) -> dict[str, Any]:
    conversation = _conversation(viewer, customer)
    if conversation is not None:
        seen(viewer, conversation, "panel")
        return {"customer": customer, **talk(request, viewer, conversation)}
    elsewhere = Conversation.objects.filter(customer=customer, employee__isnull=False).select_related("employee")
    colleague = elsewhere.order_by("-last_message_at").first()
    return {
        "customer": customer,
        "conversation": None,
        "back": request.get_full_path(),
        "may_start": permissions.may_start(viewer, customer) and bool(channel_choices.choices(customer)),
        "reachable": bool(channel_choices.choices(customer)),
        "colleague": colleague.employee if colleague is not None else customer.owner,
    }


def _conversation(viewer: Employee, customer: Customer) -> Conversation | None:
    """The viewer's own talk with the customer first, then the latest that the viewer may read."""
    related = ("customer__owner", "employee", "team")
    for rows in (permissions.own_conversations(viewer), permissions.conversations(viewer)):
        found = rows.filter(customer=customer).select_related(*related)
        # "open" sorts after "closed".
        latest = found.order_by("-state", "-last_message_at", "-id").first()
        if latest is not None:
            return latest
    return None
