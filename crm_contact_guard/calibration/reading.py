"""Reads the record again, judging each message in its conversation. Memory is bounded, and nothing is changed.

The judge is a parameter. It can be the current detector or any function with the same signature.
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
from crm_contact_guard.policy.versions.current import company_now
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.alerts import TOPICS, by_side
from crm_contact_guard.supervision.models import Alert, Topic
from crm_contact_guard.supervision.talks import THREAD_AGE, THREAD_MESSAGES, as_thread, talk_up_to

#: A function that judges the newest message of a conversation, which is passed oldest message first. It is called in
#: the context of the conversation's tenant.
Judge = Callable[[Sequence[ThreadMessage]], ThreadVerdict]

Paged = TypeVar("Paged", Alert, Conversation)

_BATCH: Final = 500
#: How many messages of an alert are judged again. More are not needed for a score.
_EVIDENCE: Final = 8


@dataclass(frozen=True)
class Judged:
    """A message and its current score, which is compared with thresholds."""

    message: Message
    score: float


@dataclass(frozen=True)
class JudgedAlert:
    """A closed alert about leaving the channels: the reviewer's result, the alert's evidence and its current score."""

    true: bool
    direction: Direction
    score: float
    evidence: Sequence[Message]


def detector(thread: Sequence[ThreadMessage]) -> ThreadVerdict:
    """Judge with the current detector and the company's settings."""
    return detection.read_message(thread, company=company_now(), semantic_stage=settings.semantic)


def messages(*, since: datetime | None, tenant: str | None, judge: Judge = detector) -> Iterator[Judged]:
    """Judge each message recorded since ``since`` in its conversation.

    Yield them conversation by conversation, oldest message first.
    """
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
    """Yield closed alerts about leaving the channels, in the order in which they were opened.

    ``true`` selects only true alerts, or only false ones. ``None`` selects both.
    """
    condition = Q(topic=Topic.OFF_CHANNEL, status=Alert.Status.CLOSED)
    if since is not None:
        condition &= Q(opened_at__gte=since)
    if tenant is not None:
        condition &= Q(tenant=tenant)
    if true is not None:
        false = Q(resolution=Alert.Resolution.FALSE_POSITIVE)
        condition &= ~false if true else false
    for alert in _pages(Alert.objects.filter(condition).select_related("at_message")):
        evidence = _evidence(alert)
        if not evidence:
            continue  # all evidence was erased
        with crm.tenant(alert.tenant):
            score = max(_score(judge, talk_up_to(message)) for message in evidence)
        yield JudgedAlert(
            true=alert.resolution != Alert.Resolution.FALSE_POSITIVE,
            direction=Direction(alert.at_message.direction),
            score=score,
            evidence=evidence,
        )


def _score(judge: Judge, rows: Sequence[Message]) -> float:
    verdict = judge(as_thread(rows))
    # A finding by a company's own rule is an alert at any threshold.
    own_rule = verdict.tier is Tier.ALERT and any(
        finding.version == company_now().version for finding in verdict.findings
    )
    return 1.0 if own_rule else verdict.score


def _evidence(alert: Alert) -> list[Message]:
    """Return the messages by the alert's side that are its evidence and still have text, at most ``_EVIDENCE``."""
    kinds = [kind for kind, topic in TOPICS.items() if topic == Topic.OFF_CHANNEL]
    named = alert.findings.filter(kind__in=kinds).values("message")
    rows = Message.objects.filter(Q(pk__in=named) | Q(pk=alert.at_message_id), text__isnull=False)
    latest = rows.select_related("conversation").order_by("-occurred_at", "-id")[: 2 * _EVIDENCE]
    return [row for row in latest if by_side(row.direction) == alert.by][:_EVIDENCE]


def _conversations(since: datetime | None, tenant: str | None) -> Iterator[Conversation]:
    rows = Conversation.objects.all()
    if since is not None:
        rows = rows.filter(last_message_at__gte=since)
    if tenant is not None:
        rows = rows.filter(tenant=tenant)
    return _pages(rows)


def _of(conversation: Conversation, since: datetime | None) -> Iterator[Message]:
    """Yield a conversation's messages, including messages before ``since`` that serve as context."""
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
    """Yield all rows in the order of their key, read in pages so that no cursor stays open while the judge works."""
    after: UUID | None = None
    while True:
        page = list((rows if after is None else rows.filter(pk__gt=after)).order_by("pk")[:_BATCH])
        yield from page
        if len(page) < _BATCH:
            return
        after = page[-1].pk
