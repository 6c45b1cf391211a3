"""The employee's inbox, which lists the customers who are waiting for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.conversation.talk import Talk, talk
from crm_contact_guard.console.employee import acting, filtering
from crm_contact_guard.console.employee.filtering import Filters
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.conversations.desk import handing_over, standing
from crm_contact_guard.conversations.restrictions.standing import undisturbed
from crm_contact_guard.delivery import waits
from crm_contact_guard.delivery.health import Down, down
from crm_contact_guard.directory.models import Customer, Employee, Role
from crm_contact_guard.directory.search import part_of
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.showing import shown, stored_findings
from crm_contact_guard.viewing.conversations import seen

#: Maximum number of customers offered for a new conversation by a search.
OFFERED = 10


@dataclass(frozen=True)
class Row:
    """A conversation in the list, with its last message."""

    conversation: Conversation
    last_text: str | None
    last_direction: str | None
    now: datetime

    @property
    def snoozed(self) -> bool:
        return standing.is_snoozed(self.conversation, self.now)

    @property
    def done(self) -> bool:
        return standing.is_done(self.conversation)

    @property
    def back(self) -> bool:
        """Whether the conversation had been put aside until a time that has come."""
        row = self.conversation
        if row.snoozed_until is None or row.snoozed_at is None or row.snoozed_until > self.now:
            return False
        return row.last_message_at is None or row.last_message_at <= row.snoozed_at


@dataclass(frozen=True)
class Tab:
    """A link to one of the lists. ``count`` is None if the list isn't counted."""

    label: str | Promise
    query: str
    current: bool
    count: int | None = None
    #: ID of the count's element, which the page updates; empty if it doesn't.
    counted: str = ""


@dataclass(frozen=True)
class Did:
    """What was just done with a conversation: ``done``, ``snoozed``, ``handed``, or why it wasn't."""

    kind: str
    conversation: Conversation | None


@dataclass(frozen=True)
class Listing:
    """The requested list of conversations, with the parameters that the page sends when it polls for changes."""

    rows: Sequence[Row]
    filters: Filters
    tabs: Sequence[Tab]
    #: Lists that are less often needed.
    other_tabs: Sequence[Tab]
    #: The conversation that is open next to the list.
    active: UUID | None
    #: The conversation to go on with.
    following: UUID | None
    #: Whether there are more conversations than are listed.
    is_more: bool
    #: Customers found by name with whom a conversation can be started.
    startable: Sequence[Customer]
    waiting: int
    version: str
    #: Channels whose carriers currently accept no messages.
    down: Sequence[Down]
    did: Did | None = None


@dataclass(frozen=True)
class Desk:
    """The actions on the open conversation: times to put it aside until, and colleagues to hand it to."""

    times: Sequence[tuple[str, str]]
    colleagues: Sequence[Employee]
    done: bool
    snoozed: bool
    #: Whether a message ended a snooze whose time hasn't come, so that it can be put aside again.
    again: bool


@dataclass(frozen=True)
class InboxPage(Shown):
    template = "inbox.html"

    listing: Listing
    talk: Talk | None
    desk: Desk | None


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
        beside = talk(request, viewer, row, may_write=True)
    elif viewer.role == Role.AUDITOR:
        raise NotPermitted(_("Auditors read and export; they have no conversations of their own."))
    desk = _desk(viewer, beside.conversation) if beside is not None else None
    return show(request, viewer, InboxPage(listing(request, viewer, pk), beside, desk))


@page()
def inbox_news(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Return the current list, or 204 if it hasn't changed since version ``v``."""
    own = undisturbed(permissions.own_conversations(viewer), viewer.tenant)
    if request.GET.get("v") == _version(_state(own, timezone.now()), down()):
        return HttpResponse(status=204)
    active = request.GET.get("active", "")
    return show(request, viewer, InboxNews(listing(request, viewer, UUID(active) if _is_uuid(active) else None)))


def listing(request: HttpRequest, viewer: Employee, active: UUID | None) -> Listing:
    """Return the list: conversations whose customer has waited longest first, then others by their latest message."""
    now = timezone.now()
    filters = Filters.read(request)
    own = undisturbed(permissions.own_conversations(viewer), viewer.tenant)
    state, away = _state(own, now), down()
    found = list(filtering.with_last(filtering.chosen(viewer, own, filters, now))[: filters.limit + 1])
    sensitive = stored_findings([row.last_id for row in found if row.last_id])
    tabs, others = _tabs(filters, {**state, "unsent": waits.unsent_of(viewer, now).count()})
    following = request.GET.get("next", "")
    return Listing(
        rows=[
            Row(row, shown(row.last_text, sensitive.get(row.last_id, ())), row.last_direction, now)
            for row in found[: filters.limit]
        ],
        filters=filters,
        tabs=tabs,
        other_tabs=others,
        active=active,
        following=UUID(following) if _is_uuid(following) else None,
        is_more=len(found) > filters.limit and bool(filters.more),
        startable=_startable(viewer, filters.words) if filters.words else [],
        waiting=state["waiting"],
        version=_version(state, away),
        down=away,
        did=_did(request, viewer),
    )


def _state(own: QuerySet[Conversation], now: datetime) -> dict[str, Any]:
    """Return the numbers of conversations per list, and what changes whenever one of them changes. One query."""
    return own.aggregate(
        waiting=Count("pk", filter=filtering.waiting(now)),
        unseen=Count("pk", filter=Q(unread__gt=0) & standing.awake(now)),
        snoozed=Count("pk", filter=standing.snoozed(now)),
        all=Count("pk"),
        messages=Sum("unread"),
        asked=Count("waiting_since"),
        moved=Max("last_message_at"),
        done=Max("done_at"),
        aside=Max("snoozed_at"),
    )


def _version(state: dict[str, Any], away: Sequence[Down]) -> str:
    """Return a version string that changes whenever any of the viewer's conversations changes."""
    counts = [state[name] or 0 for name in ("waiting", "unseen", "snoozed", "all", "messages", "asked")]
    times = [state[name].timestamp() if state[name] else 0 for name in ("moved", "done", "aside")]
    return ".".join([*(found.channel.alias for found in away), *map(str, [*counts, *times])])


def _tabs(filters: Filters, counts: dict[str, Any]) -> tuple[list[Tab], list[Tab]]:
    """Return the links to the lists: those that are always in view, and the others."""
    counts = {**counts, "unread": counts["unseen"]}
    updated = {"waiting": "cg-waiting", "unread": "cg-unread"}
    tabs = {
        name: Tab(
            label,
            Filters(name).query,
            filters.only == name and not filters.words,
            counts[name] if name in ("waiting", "unread", "snoozed", "unsent") else None,
            updated.get(name, ""),
        )
        for name, label in filtering.LISTS.items()
        if name != "unsent" or counts["unsent"] or filters.only == "unsent"
    }
    in_view = [tab for name, tab in tabs.items() if name in filtering.IN_VIEW]
    return in_view, [tab for name, tab in tabs.items() if name not in filtering.IN_VIEW]


def _did(request: HttpRequest, viewer: Employee) -> Did | None:
    kind, of = request.GET.get("did", ""), request.GET.get("of", "")
    if kind in ("no_time", "no_colleague"):
        return Did(kind, None)
    if kind not in ("done", "snoozed", "handed") or not _is_uuid(of):
        return None
    rows = permissions.own_conversations(viewer).select_related("customer")
    row = rows.filter(pk=of).first()
    return Did(kind, row) if row is not None or kind == "handed" else None


def _desk(viewer: Employee, row: Conversation) -> Desk:
    now = timezone.now()
    snoozed = standing.is_snoozed(row, now)
    return Desk(
        times=acting.choices(now),
        colleagues=list(handing_over.colleagues(row, viewer)[:100]),
        done=standing.is_done(row),
        snoozed=snoozed,
        again=not snoozed and row.snoozed_until is not None and row.snoozed_until > now,
    )


def _startable(viewer: Employee, words: str) -> list[Customer]:
    """Return customers, found by name, with whom a conversation can be started.

    This is how employees start a conversation if the CRM's own pages don't contain our panel.
    """
    found = permissions.startable(viewer).filter(part_of("name", words)).order_by("name", "pk")[:OFFERED]
    return [customer for customer in found if channel_choices.choices(customer)]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
