"""Reading one's own record again, message by message in its talk; bounded in memory, and nothing is changed.

Whoever judges is given: today's detector, or any other reader of talks that answers as it does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from crm_contact_guard import crm, detection
from crm_contact_guard.conf import settings
from crm_contact_guard.detection.types import Direction, ThreadMessage, ThreadVerdict, Tier
from crm_contact_guard.policy.company import company
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.alerts import TOPICS, by_side
from crm_contact_guard.supervision.models import Alert, Topic
from crm_contact_guard.supervision.talks import THREAD_AGE, THREAD_MESSAGES, as_thread, talk_up_to

#: Judges the newest message of a talk, the oldest first; called in the context of the talk's tenant.
Judge = Callable[[Sequence[ThreadMessage]], ThreadVerdict]

Paged = TypeVar("Paged", Alert, Conversation)

_BATCH: Final = 500
#: Messages of one alert that are judged again; an alert that holds more is plain enough.
_EVIDENCE: Final = 8


@dataclass(frozen=True)
class Judged:
    """A message and how much it weighs today: the score that thresholds are compared with."""

    message: Message
    score: float


@dataclass(frozen=True)
class JudgedAlert:
    """A closed alert about leaving the channels: what people found, its evidence, and how much that weighs today."""

    true: bool
    direction: Direction
    score: float
    evidence: Sequence[Message]


def detector(thread: Sequence[ThreadMessage]) -> ThreadVerdict:
    """Today's detector with the company's settings."""
    return detection.read_message(thread, company=company(), semantic_stage=settings.semantic)


def messages(*, since: datetime | None, tenant: str | None, judge: Judge = detector) -> Iterator[Judged]:
    """Each recorded message from ``since`` on, judged in its talk; one conversation after the other, oldest first."""
    for conversation in _conversations(since, tenant):
        with crm.tenant(conversation.tenant):
            before: deque[Message] = deque(maxlen=THREAD_MESSAGES - 1)
            for message in _of(conversation, since):
                while before and before[0].occurred_at < message.occurred_at - THREAD_AGE:
                    before.popleft()
                is_note = message.direction == Direction.NOTE.value
                if message.text is not None and (since is None or message.occurred_at >= since):
                    yield Judged(message, _score(judge, [message] if is_note else [*before, message]))
                if not is_note:
                    before.append(message)


def alerts(
    *, since: datetime | None, tenant: str | None, judge: Judge = detector, true: bool | None = None
) -> Iterator[JudgedAlert]:
    """Closed alerts about leaving the channels, in the order of opening; ``true``: only true or only false ones."""
    wanted = Q(topic=Topic.OFF_CHANNEL, status=Alert.Status.CLOSED)
    if since is not None:
        wanted &= Q(opened_at__gte=since)
    if tenant is not None:
        wanted &= Q(tenant=tenant)
    if true is not None:
        false = Q(resolution=Alert.Resolution.FALSE_POSITIVE)
        wanted &= ~false if true else false
    for alert in _pages(Alert.objects.filter(wanted).select_related("at_message")):
        evidence = _evidence(alert)
        if not evidence:
            continue  # erased: nothing is left to judge
        with crm.tenant(alert.tenant):
            score = max(_score(judge, talk_up_to(message)) for message in evidence)
        yield JudgedAlert(
            true=alert.resolution != Alert.Resolution.FALSE_POSITIVE,
            direction=Direction(alert.at_message.direction),
            score=score,
            evidence=evidence,
        )


def _score(judge: Judge, rows: Sequence[Message]) -> float:
    said = judge(as_thread(rows))
    # What the company's own rule finds warns at any threshold.
    own_rule = said.tier is Tier.ALERT and any(found.version == company().version for found in said.findings)
    return 1.0 if own_rule else said.score


def _evidence(alert: Alert) -> list[Message]:
    """The messages of the alert's side that it rests on and that still say something, at most a few."""
    kinds = [kind for kind, topic in TOPICS.items() if topic == Topic.OFF_CHANNEL]
    named = alert.findings.filter(kind__in=kinds).values("message")
    rows = Message.objects.filter(Q(pk__in=named) | Q(pk=alert.at_message_id), text__isnull=False)
    found = rows.select_related("conversation").order_by("-occurred_at", "-id")[: 2 * _EVIDENCE]
    return [row for row in found if by_side(row.direction) == alert.by][:_EVIDENCE]


def _conversations(since: datetime | None, tenant: str | None) -> Iterator[Conversation]:
    rows = Conversation.objects.all()
    if since is not None:
        rows = rows.filter(last_message_at__gte=since)
    if tenant is not None:
        rows = rows.filter(tenant=tenant)
    return _pages(rows)


def _of(conversation: Conversation, since: datetime | None) -> Iterator[Message]:
    """A conversation's messages, with those before ``since`` that are still read as their talk."""
    rows = Message.objects.filter(conversation=conversation).order_by("occurred_at", "id")
    rows = rows.only(
        "id", "conversation_id", "customer_id", "employee_id", "direction", "occurred_at", "text", "tenant"
    )
    if since is not None:
        rows = rows.filter(occurred_at__gte=since - THREAD_AGE)
    page = list(rows[:_BATCH])
    while page:
        yield from page
        last = page[-1]
        later = Q(occurred_at__gt=last.occurred_at) | Q(occurred_at=last.occurred_at, id__gt=last.pk)
        page = list(rows.filter(later)[:_BATCH])


def _pages(rows: QuerySet[Paged]) -> Iterator[Paged]:
    """All rows by their key, some at a time: no cursor stays open while the judge thinks."""
    after: UUID | None = None
    while True:
        page = list((rows if after is None else rows.filter(pk__gt=after)).order_by("pk")[:_BATCH])
        yield from page
        if len(page) < _BATCH:
            return
        after = page[-1].pk
