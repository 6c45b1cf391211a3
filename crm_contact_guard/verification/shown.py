"""What people are shown beside the recorded rows, against the events that led to it.

Working state (who is talked with, what became of a delivery, which holds stand) is no leaf of the tree. But each of its
moves was recorded together with the move, so whoever changes the state alone leaves it at odds with its events.
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
#: What a carrier said, and states that it would have led away from.
_BEHIND: Final = {
    "delivered": ("queued", "sending", "uncertain", "failed", "sent"),
    "read": ("queued", "sending", "uncertain", "failed", "sent", "delivered"),
}


def check(using: str, report: Report) -> None:
    """Report what is shown otherwise than it was recorded. Call it within one snapshot."""
    _conversations(using, report)
    _deliveries(using, report)
    _attachments(using, report)
    _undone_erasures(using, report)
    _holds(using, report)


def _conversations(using: str, report: Report) -> None:
    """A conversation is with whom it was linked to last, or else with the customer its messages were recorded for."""
    newest = Message.objects.filter(conversation=OuterRef("pk")).order_by("-occurred_at", "-pk")
    links = Event.objects.filter(conversation=OuterRef("pk"), kind=LINKED).order_by("-recorded_at", "-pk")
    talks = Conversation.objects.using(using).annotate(
        recorded=Subquery(newest.values("customer")[:1]),
        within=Subquery(newest.values("tenant")[:1]),
        link=Subquery(links.values("data")[:1]),
    )
    suspect = Q(link__isnull=False) | Q(recorded__isnull=False) & ~Q(customer=F("recorded"), tenant=F("within"))
    for talk in talks.filter(suspect).order_by("pk").iterator(chunk_size=_BATCH):
        where = f"conversation {talk.pk}"
        if talk.within is not None and talk.tenant != talk.within:
            report.add(where, "is shown to another tenant than its messages were recorded for")
        with_whom = talk.recorded if talk.link is None else _members(talk.link).get("to")
        if str(talk.customer_id) != str(with_whom):
            report.add(where, f"is shown as one with customer {talk.customer_id}, to whom no recorded link led")


def _deliveries(using: str, report: Report) -> None:
    """No outcome without its event, and none that falls behind what a carrier said."""
    rows = Delivery.objects.using(using)
    events = Event.objects.filter(message=OuterRef("pk"))
    for state in _OUTCOMES:
        unheard = rows.filter(state=state).exclude(Exists(events.filter(kind=f"delivery.{state}")))
        for row in unheard.order_by("pk")[:_SHOWN]:
            report.add(f"delivery of message {row.pk}", f'is shown as "{state}", which no event says')
    for said, states in _BEHIND.items():
        behind = rows.filter(Exists(events.filter(kind=f"delivery.{said}")), state__in=states)
        for row in behind.order_by("pk")[:_SHOWN]:
            report.add(f"delivery of message {row.pk}", f'is shown as "{row.state}" though the carrier said "{said}"')


def _attachments(using: str, report: Report) -> None:
    """Files of messages whose leaf lists none; the others are compared with their lists, message by message."""
    slipped = Attachment.objects.using(using).filter(message__files__isnull=True, message__salt__isnull=False)
    for one in slipped.order_by("pk")[:_SHOWN]:
        report.add(f"files of message {one.message_id}", f"hold one that the message does not list ({one.name!r})")


def _undone_erasures(using: str, report: Report) -> None:
    """What a recorded erasure emptied must not come back, not even out of an honest backup."""
    for kind, model in MODELS.items():
        for part in _erased(using, kind):
            for start in range(0, len(part), _BATCH):
                rows = model._base_manager.using(using).filter(pk__in=part[start : start + _BATCH], salt__isnull=False)
                for row_id in rows.values_list("pk", flat=True):
                    report.add(f"{kind} {row_id}", "was erased, and its values or their salt are there again")


def _erased(using: str, kind: str) -> Iterator[list[UUID]]:
    """Ids of the rows that erasures name, many at a time."""
    events = Event.objects.using(using).filter(kind__startswith=KIND_PREFIX, subject_type=kind).order_by("pk")
    part = list(events.values_list("pk", "subject_id")[:_ERASURES])
    while part:
        yield list(_ids(subject for _, subject in part))
        part = list(events.filter(pk__gt=part[-1][0]).values_list("pk", "subject_id")[:_ERASURES])


def _holds(using: str, report: Report) -> None:
    """A legal hold ends by a recorded release and covers what it was placed on."""
    standing = {hold.pk: hold for hold in LegalHold.objects.using(using).all()}
    events = Event.objects.using(using).filter(subject_type="hold").order_by("pk")
    placed = {event.subject_id: event for event in events if event.kind == "hold.placed"}
    released = {event.subject_id for event in events if event.kind == "hold.released"}
    for subject, event in placed.items():
        key = next(_ids([subject]), None)
        hold = standing.pop(key, None) if key is not None else None
        where = f"hold {subject}"
        if hold is None:
            report.add(where, "was placed and is gone")
        elif (hold.released_at is not None) != (subject in released):
            report.add(
                where, "is released without a recorded release" if hold.released_at else "stands though released"
            )
        elif (hold.tenant, _same(holds.covered(hold))) != (event.tenant, _same(_members(event.data))):
            report.add(where, "covers something else than it was placed on")
    for key in standing:
        report.add(f"hold {key}", "was never placed")


def _same(covered: Mapping[str, Any]) -> dict[str, Any]:
    """What a hold covers, its times as moments: the same moment may be written in several zones."""
    found = dict(covered)
    for name in ("since", "until"):
        with suppress(TypeError, ValueError):
            found[name] = datetime.fromisoformat(found.get(name))  # type: ignore[arg-type]  # None is a TypeError
    return found


def _members(data: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        return {}  # the row's own check says that it was altered
    return found if isinstance(found, dict) else {}


def _ids(texts: Any) -> Iterator[UUID]:
    for text in texts:
        try:
            yield UUID(text)
        except ValueError:
            continue
