"""The inbox's filters, which are in its URL, so that every link and every return keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Left
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_contact_guard import permissions
from crm_contact_guard.conversations.desk import standing
from crm_contact_guard.conversations.restrictions.standing import undisturbed
from crm_contact_guard.delivery import waits
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.directory.search import part_of
from crm_contact_guard.record.models import AUTO, Conversation, Message

STEP: Final = 50
MOST: Final = 1000
#: Number of characters of the last message that are loaded for its preview. This is more than is shown, since masking
#: needs some context to tell card numbers from other numbers.
PREVIEW: Final = 400
#: Names of the lists, in the URL and on the page. The first ones are always in view.
LISTS: Final[dict[str, str | Promise]] = {
    "": _("Inbox"),
    "waiting": _("Waiting"),
    "unread": _("Unread"),
    "mine": _("Mine"),
    "snoozed": _("Aside"),
    "done": _("Done"),
    "unsent": _("Not sent"),
}
IN_VIEW: Final = ("", "waiting", "unread")


@dataclass(frozen=True)
class Filters:
    """``only``: the chosen list. ``words``: what is searched for; a search finds conversations in all lists."""

    only: str = ""
    words: str = ""
    limit: int = STEP

    @classmethod
    def read(cls, request: HttpRequest) -> Filters:
        """Read the filters of a page, or those that a form on it carries as ``query``."""
        given = request.GET
        limit = given.get("limit", "")
        only = given.get("show", "")
        return cls(
            only=only if only in LISTS else "",
            words=given.get("q", "").strip()[:100],
            limit=min(max(int(limit) if limit.isdecimal() and len(limit) < 7 else 0, STEP), MOST),
        )

    @property
    def query(self) -> str:
        """The filters as a query string that begins with "?"; "" if there are none."""
        given = {"show": self.only, "q": self.words, "limit": self.limit if self.limit > STEP else ""}
        found = urlencode({name: value for name, value in given.items() if value})
        return f"?{found}" if found else ""

    @property
    def more(self) -> str:
        """The query string of the next larger limit; "" if there is none."""
        return Filters(self.only, self.words, min(self.limit + STEP, MOST)).query if self.limit < MOST else ""

    @property
    def label(self) -> str | Promise:
        return LISTS[self.only]


def chosen(
    viewer: Employee, own: QuerySet[Conversation], filters: Filters, now: datetime
) -> QuerySet[Conversation, Any]:
    """Return the viewer's conversations that the filters choose, in the order of the list.

    ``own``: those that no restriction keeps back.
    """
    if filters.words:
        # A search finds those that a restriction keeps back, too.
        rows = permissions.own_conversations(viewer)
        rows = rows.filter(part_of("customer__name", filters.words) | part_of("subject", filters.words))
    else:
        rows = own
    if filters.only == "unsent":
        rows = rows.filter(pk__in=waits.unsent_of(viewer, now).values("message__conversation"))
    elif filters.only or not filters.words:
        rows = rows.filter(_condition(filters.only, viewer, now))
    return _ordered(rows, filters, now)


def waiting(now: datetime) -> Q:
    """Conversations whose customer waits, or that were put aside until now."""
    return (Q(waiting_since__isnull=False) | standing.back(now)) & standing.awake(now)


def _condition(only: str, viewer: Employee, now: datetime) -> Q:
    inbox = standing.undone() & standing.awake(now) & standing.lively(now)
    return {
        "waiting": waiting(now),
        "unread": Q(unread__gt=0) & standing.awake(now),
        "mine": inbox & Q(employee=viewer),
        "snoozed": standing.snoozed(now),
        "done": (standing.done() | standing.quiet(now)) & standing.awake(now),
    }.get(only, inbox)


def _ordered(rows: QuerySet[Conversation], filters: Filters, now: datetime) -> QuerySet[Conversation, Any]:
    """Sort who has waited longest first, then by the latest message."""
    newest = F("last_message_at").desc(nulls_last=True)
    if filters.only == "done":
        return rows.order_by(newest, "-id")
    if filters.only == "snoozed":
        return rows.order_by("snoozed_until", "-id")
    back = Case(When(standing.back(now), then=F("snoozed_until")))
    return rows.annotate(due=Coalesce("waiting_since", back)).order_by(F("due").asc(nulls_last=True), newest, "-id")


def with_last(rows: QuerySet[Conversation, Any]) -> QuerySet[Conversation, Any]:
    """Add each conversation's last message that isn't an automatic answer: its ID, direction and preview."""
    last = Message.objects.filter(conversation=OuterRef("pk")).exclude(source=AUTO).order_by("-occurred_at", "-id")
    return rows.select_related("customer", "employee", "team").annotate(
        last_id=Subquery(last.values("pk")[:1]),
        last_text=Subquery(last.annotate(preview=Left("text", PREVIEW)).values("preview")[:1]),
        last_direction=Subquery(last.values("direction")[:1]),
    )


def after(viewer: Employee, filters: Filters, pk: UUID, now: datetime) -> UUID | None:
    """Return the conversation below the given one in the list, or else the one above it."""
    own = undisturbed(permissions.own_conversations(viewer), viewer.tenant)
    keys = list(chosen(viewer, own, filters, now).values_list("pk", flat=True)[: filters.limit])
    if pk not in keys:
        return keys[0] if keys else None
    place = keys.index(pk)
    beside = keys[place + 1 : place + 2] or keys[max(place - 1, 0) : place]
    return beside[0] if beside else None
