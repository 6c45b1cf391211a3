"""A panel for the host's pages that shows the conversation with one customer.

The host's templates call ``panel`` and ``assets`` through our template tags or, with Jinja2, as environment globals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import SafeString

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.conversation.talk import Talk, talk
from crm_contact_guard.console.nonces import nonce_for
from crm_contact_guard.console.page import Frame, Shown, speaking
from crm_contact_guard.directory.mirror import customer_for, employee_for
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.viewing.conversations import seen

STYLES = (
    "tokens",
    "base",
    "thread",
    "composer",
    "queue",
    "inbox",
    "subjects",
    "consulting",
    "hours",
    "notices",
    "cases",
    "figures",
)
SCRIPTS = ("live", "composer", "keys", "queue", "alert", "waits")


@dataclass(frozen=True)
class Assets(Shown):
    """URLs of our styles and scripts. ``htmx`` is empty if the page already includes htmx."""

    template = "assets.html"

    styles: Sequence[str]
    scripts: Sequence[str]
    htmx: str
    nonce: str


@dataclass(frozen=True)
class Panel(Shown):
    """The conversation with the customer or, if there is none, who could start one."""

    template = "panel.html"

    customer: Customer
    talk: Talk | None = None
    #: The URL of the host's page, to which forms redirect.
    back: str = ""
    may_start: bool = False
    #: Whether any company channel reaches the customer.
    reachable: bool = False
    colleague: Employee | None = None


def assets(request: HttpRequest | None = None, *, htmx: bool = True, chat: bool = False) -> SafeString:
    """Return HTML that loads our styles and scripts. Pass ``htmx=False`` if the page already includes htmx 2."""
    root = "crm_contact_guard"
    styles = [*STYLES, "chat"] if chat else STYLES
    shown = Assets(
        styles=[static(f"{root}/css/{name}.css") for name in styles],
        scripts=[static(f"{root}/js/{name}.js") for name in SCRIPTS],
        htmx=static(f"{root}/vendor/htmx.min.js") if htmx else "",
        nonce=nonce_for(request),
    )
    return render_to_string(f"crm_contact_guard/{shown.template}", {"page": shown})


def panel(request: HttpRequest | None, host_customer: object) -> SafeString:
    """Return the panel as HTML. It is empty without a request, without a customer, or for users without a role."""
    viewer = employee_for(getattr(request, "user", None))
    if request is None or viewer is None or host_customer in (None, ""):
        return SafeString("")
    try:
        customer = customer_for(host_customer)
    except LookupError:
        return SafeString("")
    with speaking(request, viewer):
        shown = _panel(request, viewer, customer)
        context = {"guard": Frame(request, viewer), "page": shown}
        return render_to_string(f"crm_contact_guard/{shown.template}", context, request=request)


def _panel(request: HttpRequest, viewer: Employee, customer: Customer) -> Panel:
    conversation = _conversation(viewer, customer)
    if conversation is not None:
        seen(viewer, conversation, "panel")
        return Panel(customer, talk(request, viewer, conversation))
    elsewhere = Conversation.objects.filter(customer=customer, employee__isnull=False).select_related("employee")
    colleague = elsewhere.order_by("-last_message_at").first()
    reachable = bool(channel_choices.choices(customer))
    return Panel(
        customer,
        back=request.get_full_path(),
        may_start=permissions.may_start(viewer, customer) and reachable,
        reachable=reachable,
        colleague=colleague.employee if colleague is not None else customer.owner,
    )


def _conversation(viewer: Employee, customer: Customer) -> Conversation | None:
    """Return the viewer's own latest conversation with the customer, or else the latest that the viewer may read.

    Open conversations precede closed ones.
    """
    related = ("customer__owner", "employee", "team")
    for rows in (permissions.own_conversations(viewer), permissions.conversations(viewer)):
        found = rows.filter(customer=customer).select_related(*related)
        # "open" sorts after "closed".
        latest = found.order_by("-state", "-last_message_at", "-id").first()
        if latest is not None:
            return latest
    return None
