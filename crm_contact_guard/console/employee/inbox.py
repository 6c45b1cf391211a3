"""The employee's inbox: who waits for me?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.conversation.talk import Talk, talk
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.delivery.health import Down, down
from crm_contact_guard.directory.models import Customer, Employee, Role
from crm_contact_guard.directory.search import part_of
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.showing import shown, stored_findings
from crm_contact_guard.viewing.conversations import seen

STEP = 50
MOST = 1000
#: Customers without a conversation that a search offers.
OFFERED = 10
#: Characters of the last message that are read for its preview: what is shown of it, and room around for whatever tells
#: a card number from another one.
PREVIEW = 400


@dataclass(frozen=True)
class Row:
    """A conversation in the list, with its last message."""

    conversation: Conversation
    last_text: str | None
    last_direction: str | None


@dataclass(frozen=True)
class Listing:
    """The list of conversations as it was asked for, and what its news asks for."""

    rows: Sequence[Row]
    #: The conversation that is open beside it.
    active: UUID | None
    limit: int
    #: The limit under which more would be listed; 0: there are no more.
    more: int
    #: Customers found by name with whom a conversation can begin.
    startable: Sequence[Customer]
    words: str
    #: "waiting" for those that wait alone, else empty.
    only: str
    waiting: int
    unread: int
    version: str
    #: Channels whose carriers take nothing at the moment.
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
    """The list, and beside it one conversation: the one asked for. On a phone it is one or the other."""
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
    """The list again; 204 when it is still as ``v`` says."""
    if request.GET.get("v") == version(viewer):
        return HttpResponse(status=204)
    active = request.GET.get("active", "")
    return show(request, viewer, InboxNews(listing(request, viewer, UUID(active) if _is_uuid(active) else None)))


def listing(request: HttpRequest, viewer: Employee, active: UUID | None) -> Listing:
    """Who waits longest first, then the talks that moved last."""
    words = request.GET.get("q", "").strip()[:100]
    only = request.GET.get("show", "")
    most = min(max(_number(request.GET.get("limit", "")), STEP), MOST)
    rows = permissions.own_conversations(viewer)
    if words:
        rows = rows.filter(part_of("customer__name", words) | part_of("subject", words))
    if only == "waiting":
        rows = rows.filter(waiting_since__isnull=False)
    found = list(_listed(rows)[: most + 1])
    sensitive = stored_findings([row.last_id for row in found if row.last_id])
    counted = permissions.own_conversations(viewer).aggregate(
        waiting=Count("pk", filter=Q(waiting_since__isnull=False)), unread=Sum("unread")
    )
    return Listing(
        rows=[
            Row(row, shown(row.last_text, sensitive.get(row.last_id, ())), row.last_direction) for row in found[:most]
        ],
        active=active,
        limit=most,
        more=min(most + STEP, MOST) if len(found) > most and most < MOST else 0,
        startable=_startable(viewer, words) if words else [],
        words=words,
        only=only if only == "waiting" else "",
        waiting=counted["waiting"],
        unread=counted["unread"] or 0,
        version=version(viewer),
        down=down(),
    )


def _listed(rows: QuerySet[Conversation]) -> QuerySet[Conversation, Any]:
    last = Message.objects.filter(conversation=OuterRef("pk")).order_by("-occurred_at", "-id")
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
    """Customers found by name with whom a talk can begin: the way there where the CRM's own pages hold no panel."""
    found = permissions.startable(viewer).filter(part_of("name", words)).order_by("name", "pk")[:OFFERED]
    return [customer for customer in found if channel_choices.choices(customer)]


def version(viewer: Employee) -> str:
    """Changes when any conversation of the viewer does. Cheap."""
    state = permissions.own_conversations(viewer).aggregate(
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
