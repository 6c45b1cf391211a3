"""Compare the working state that users see with the events recorded for it.

Working state (conversations, deliveries, legal holds) is not part of the tree. But an event was recorded for each of
its changes, so a state that was changed directly contradicts its events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, Subquery

from crm_contact_guard.conversations.identity import LINKED
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.privacy import holds
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.record.canonical_sql import MODELS
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.verification.erasures import KIND_PREFIX
from crm_contact_guard.verification.report import Report

_BATCH: Final = 500
_ERASURES: Final = 20_000
_SHOWN: Final = 20
#: States of a delivery that an event of the same name must have brought about.
_OUTCOMES: Final = ("sent", "delivered", "read", "failed", "uncertain")
#: What a carrier reported, and the earlier states that the delivery can't be in afterwards.
_EARLIER: Final = {
    "delivered": ("queued", "sending", "uncertain", "failed", "sent"),
    "read": ("queued", "sending", "uncertain", "failed", "sent", "delivered"),
}


def check(using: str, report: Report) -> None:
    """Report working state that contradicts the recorded events. Call it within one snapshot."""
    _conversations(using, report)
    _deliveries(using, report)
    _attachments(using, report)
    _undone_erasures(using, report)
    _holds(using, report)


def _conversations(using: str, report: Report) -> None:
    """A conversation's customer is the one it was last linked to, otherwise the customer of its newest message."""
    newest = Message.objects.filter(conversation=OuterRef("pk")).order_by("-occurred_at", "-pk")
    links = Event.objects.filter(conversation=OuterRef("pk"), kind=LINKED).order_by("-recorded_at", "-pk")
    conversations = Conversation.objects.using(using).annotate(
        recorded=Subquery(newest.values("customer")[:1]),
        within=Subquery(newest.values("tenant")[:1]),
        link=Subquery(links.values("data")[:1]),
    )
    suspect = Q(link__isnull=False) | Q(recorded__isnull=False) & ~Q(customer=F("recorded"), tenant=F("within"))
    for conversation in conversations.filter(suspect).order_by("pk").iterator(chunk_size=_BATCH):
        where = f"conversation {conversation.pk}"
        if conversation.within is not None and conversation.tenant != conversation.within:
            report.add(where, "is shown to another tenant than that of its messages")
        customer = conversation.recorded if conversation.link is None else _members(conversation.link).get("to")
        if str(conversation.customer_id) != str(customer):
            report.add(where, f"is shown with customer {conversation.customer_id}, but no such link was recorded")


def _deliveries(using: str, report: Report) -> None:
    """Each outcome has its event, and no delivery is in an earlier state than the carrier reported."""
    rows = Delivery.objects.using(using)
    events = Event.objects.filter(message=OuterRef("pk"))
    for state in _OUTCOMES:
        without_event = rows.filter(state=state).exclude(Exists(events.filter(kind=f"delivery.{state}")))
        for row in without_event.order_by("pk")[:_SHOWN]:
            report.add(f"delivery of message {row.pk}", f'is shown as "{state}", but no such event was recorded')
    for reported, states in _EARLIER.items():
        behind = rows.filter(Exists(events.filter(kind=f"delivery.{reported}")), state__in=states)
        for row in behind.order_by("pk")[:_SHOWN]:
            report.add(
                f"delivery of message {row.pk}", f'is shown as "{row.state}", but the carrier reported "{reported}"'
            )


def _attachments(using: str, report: Report) -> None:
    """Files of messages that list none. Messages that list files are compared in ``verification.files``."""
    unlisted = Attachment.objects.using(using).filter(message__files__isnull=True, message__salt__isnull=False)
    for file in unlisted.order_by("pk")[:_SHOWN]:
        report.add(f"files of message {file.message_id}", f"include {file.name!r}, which the message does not list")


def _undone_erasures(using: str, report: Report) -> None:
    """Values that were erased must not reappear, even if they were restored from a genuine backup."""
    for kind, model in MODELS.items():
        for part in _erased(using, kind):
            for start in range(0, len(part), _BATCH):
                rows = model._base_manager.using(using).filter(pk__in=part[start : start + _BATCH], salt__isnull=False)
                for row_id in rows.values_list("pk", flat=True):
                    report.add(f"{kind} {row_id}", "was erased, but its values or their salt were restored")


def _erased(using: str, kind: str) -> Iterator[list[UUID]]:
    """Ids of the rows for which an erasure was recorded, in batches."""
    events = Event.objects.using(using).filter(kind__startswith=KIND_PREFIX, subject_type=kind).order_by("pk")
    part = list(events.values_list("pk", "subject_id")[:_ERASURES])
    while part:
        yield list(_ids(subject for _, subject in part))
        part = list(events.filter(pk__gt=part[-1][0]).values_list("pk", "subject_id")[:_ERASURES])


def _holds(using: str, report: Report) -> None:
    """Each legal hold was recorded, has its recorded scope, and is released only if the release was recorded."""
    rows = {hold.pk: hold for hold in LegalHold.objects.using(using).all()}
    events = Event.objects.using(using).filter(subject_type="hold").order_by("pk")
    placed = {event.subject_id: event for event in events if event.kind == "hold.placed"}
    released = {event.subject_id for event in events if event.kind == "hold.released"}
    for subject, event in placed.items():
        key = next(_ids([subject]), None)
        hold = rows.pop(key, None) if key is not None else None
        where = f"hold {subject}"
        if hold is None:
            report.add(where, "was placed but is missing")
        elif (hold.released_at is not None) != (subject in released):
            report.add(
                where, "is released without a recorded release" if hold.released_at else "is active although released"
            )
        elif (hold.tenant, _scope(holds.covered(hold))) != (event.tenant, _scope(_members(event.data))):
            report.add(where, "does not cover what was recorded when it was placed")
    for key in rows:
        report.add(f"hold {key}", "was never placed")


def _scope(covered: Mapping[str, Any]) -> dict[str, Any]:
    """The scope of a hold with parsed times, which may be written in different time zones."""
    scope = dict(covered)
    for name in ("since", "until"):
        with suppress(TypeError, ValueError):
            scope[name] = datetime.fromisoformat(scope.get(name))  # type: ignore[arg-type]  # None is a TypeError
    return scope


def _members(data: str) -> dict[str, Any]:
    try:
        members = json.loads(data)
    except ValueError:
        return {}  # altered, which the check of the row reports
    return members if isinstance(members, dict) else {}


def _ids(texts: Any) -> Iterator[UUID]:
    for text in texts:
        try:
            yield UUID(text)
        except ValueError:
            continue
