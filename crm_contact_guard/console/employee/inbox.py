"""The employee's inbox, which lists the customers who are waiting for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.conversation.talk import Talk, talk
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.conversations.restrictions.standing import undisturbed
from crm_contact_guard.delivery import waits
from crm_contact_guard.delivery.health import Down, down
from crm_contact_guard.directory.models import Customer, Employee, Role
from crm_contact_guard.directory.search import part_of
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.record.models import AUTO, Conversation, Message
from crm_contact_guard.supervision.showing import shown, stored_findings
from crm_contact_guard.viewing.conversations import seen

STEP = 50
MOST = 1000
#: Maximum number of customers offered for a new conversation by a search.
OFFERED = 10
#: Number of characters of the last message that are loaded for its preview. This is more than is shown, since masking
#: needs some context to tell card numbers from other numbers.
PREVIEW = 400


@dataclass(frozen=True)
class Row:
    """A conversation in the list, with its last message."""

    conversation: Conversation
    last_text: str | None
    last_direction: str | None


@dataclass(frozen=True)
class Listing:
    """The requested list of conversations, with the parameters that the page sends when it polls for changes."""

    rows: Sequence[Row]
    #: The conversation that is open next to the list.
    active: UUID | None
    limit: int
    #: The next larger limit; 0 if there are no more conversations to list.
    more: int
    #: Customers found by name with whom a conversation can be started.
    startable: Sequence[Customer]
    words: str
    #: "waiting" if only waiting conversations are listed, "unsent" if only those with messages that haven't gone.
    only: str
    #: Number of the viewer's messages that wait, or were kept back lately.
    unsent: int
    waiting: int
    unread: int
    version: str
    #: Channels whose carriers currently accept no messages.
    down: Sequence[Down]


@dataclass(frozen=True)
class InboxPage(Shown):
    template = "inbox.html"

    listing: Listing
    talk: Talk | None


@dataclass(frozen=True)
class InboxNews(Shown):
    template = "parts/inbox_rows.html"

    listing: Listing


@page()
def inbox(request: HttpRequest, viewer: Employee, pk: UUID | None = None) -> HttpResponse:
    """Show the list and, next to it, the requested conversation. A phone shows only one of the two at a time."""
    permitted = permissions.own_conversations(viewer)
    beside: Talk | None = None
    if pk is not None:
        row = get_object_or_404(permitted.select_related("customer__owner", "employee", "team"), pk=pk)
        seen(viewer, row, "inbox")
        beside = talk(request, viewer, row)
    elif viewer.role == Role.AUDITOR:
        raise NotPermitted(_("Auditors read and export; they have no conversations of their own."))
    return show(request, viewer, InboxPage(listing(request, viewer, pk), beside))


@page()
def inbox_news(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Return the current list, or 204 if it hasn't changed since version ``v``."""
    if request.GET.get("v") == version(viewer):
        return HttpResponse(status=204)
    active = request.GET.get("active", "")
    return show(request, viewer, InboxNews(listing(request, viewer, UUID(active) if _is_uuid(active) else None)))


def listing(request: HttpRequest, viewer: Employee, active: UUID | None) -> Listing:
    """Return the list: conversations whose customer has waited longest first, then others by their latest message."""
    words = request.GET.get("q", "").strip()[:100]
    only = request.GET.get("show", "")
    most = min(max(_number(request.GET.get("limit", "")), STEP), MOST)
    own = undisturbed(permissions.own_conversations(viewer), viewer.tenant)
    # A search finds those that a restriction keeps back, too.
    rows = permissions.own_conversations(viewer) if words else own
    if words:
        rows = rows.filter(part_of("customer__name", words) | part_of("subject", words))
    if only == "waiting":
        rows = rows.filter(waiting_since__isnull=False)
    unsent = waits.unsent_of(viewer, timezone.now())
    if only == "unsent":
        rows = rows.filter(pk__in=unsent.values("message__conversation"))
    found = list(_listed(rows)[: most + 1])
    sensitive = stored_findings([row.last_id for row in found if row.last_id])
    counted = own.aggregate(waiting=Count("pk", filter=Q(waiting_since__isnull=False)), unread=Sum("unread"))
    return Listing(
        rows=[
            Row(row, shown(row.last_text, sensitive.get(row.last_id, ())), row.last_direction) for row in found[:most]
        ],
        active=active,
        limit=most,
        more=min(most + STEP, MOST) if len(found) > most and most < MOST else 0,
        startable=_startable(viewer, words) if words else [],
        words=words,
        only=only if only in ("waiting", "unsent") else "",
        unsent=unsent.count(),
        waiting=counted["waiting"],
        unread=counted["unread"] or 0,
        version=version(viewer),
        down=down(),
    )


def _listed(rows: QuerySet[Conversation]) -> QuerySet[Conversation, Any]:
    last = Message.objects.filter(conversation=OuterRef("pk")).exclude(source=AUTO).order_by("-occurred_at", "-id")
    return (
        rows.select_related("customer", "employee", "team")
        .annotate(
            last_id=Subquery(last.values("pk")[:1]),
            last_text=Subquery(last.annotate(preview=Left("text", PREVIEW)).values("preview")[:1]),
            last_direction=Subquery(last.values("direction")[:1]),
        )
        .order_by(F("waiting_since").asc(nulls_last=True), F("last_message_at").desc(nulls_last=True), "-id")
    )


def _startable(viewer: Employee, words: str) -> list[Customer]:
    """Return customers, found by name, with whom a conversation can be started.

    This is how employees start a conversation if the CRM's own pages don't contain our panel.
    """
    found = permissions.startable(viewer).filter(part_of("name", words)).order_by("name", "pk")[:OFFERED]
    return [customer for customer in found if channel_choices.choices(customer)]


def version(viewer: Employee) -> str:
    """Return a version string that changes whenever any of the viewer's conversations changes. Cheap to compute."""
    state = undisturbed(permissions.own_conversations(viewer), viewer.tenant).aggregate(
        count=Count("pk"), moved=Max("last_message_at"), unread=Sum("unread"), waiting=Count("waiting_since")
    )
    moved = state["moved"]
    away = ".".join(found.channel.alias for found in down())
    return f"{away}{state['count']}.{moved.timestamp() if moved else 0}.{state['unread'] or 0}.{state['waiting']}"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 0


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
