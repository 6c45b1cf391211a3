"""Notices a customer who keeps asking for private contact after the employee declined, over days and conversations.

Detection sees a repeated request within one conversation. This rule also sees it a week later, in another conversation
or on another channel.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from crm_contact_guard.policy.protection import number
from crm_contact_guard.record.models import Direction, Message
from crm_contact_guard.supervision.alerts import NewFinding, Verdict
from crm_contact_guard.supervision.models import Finding, FindingKind, Inspection, Side, Stance, Topic
from crm_contact_guard.supervision.pressing.rule import PRESSING, presses

_KINDS = (
    FindingKind.CONTACT_IDENTIFIER,
    FindingKind.CONTACT_REQUEST,
    FindingKind.PRIVATE_MEETING,
    FindingKind.SIDE_DEAL,
)
_ASKS = (Stance.ASK, Stance.OFFER)


def pressing(message: Message, found: Iterable[Verdict]) -> list[Verdict]:
    """Return a verdict if the customer presses with this message. ``found``: the other verdicts on it.

    Queries the record only if the message itself asks.
    """
    asked = [
        verdict
        for verdict in found
        if (verdict.topic, verdict.by) == (Topic.OFF_CHANNEL, Side.CUSTOMER)
        and verdict.stance in _ASKS
        and verdict.at.pk == message.pk
    ]
    if message.direction != Direction.INBOUND or not asked:
        return []
    since = message.occurred_at - timedelta(days=number("PRESSING_DAYS"))
    said = Message.objects.filter(conversation__customer=message.conversation.customer_id)
    said = said.filter(occurred_at__gt=since, occurred_at__lt=message.occurred_at)
    refusals = Inspection.objects.filter(stance=Stance.REFUSE, message__in=said.filter(direction=Direction.OUTBOUND))
    asks = Finding.objects.filter(
        by=Side.CUSTOMER, kind__in=_KINDS, stance__in=_ASKS, message__in=said.filter(direction=Direction.INBOUND)
    )
    refused = presses(
        at=message.occurred_at,
        asks=set(asks.values_list("message__occurred_at", flat=True)),
        refusals=refusals.values_list("message__occurred_at", flat=True),
        times=number("PRESSING_TIMES"),
        pause=timedelta(minutes=number("PRESSING_PAUSE_MINUTES")),
    )
    if refused is None:
        return []
    spans = [finding for finding in asked[0].findings if finding.message.pk == message.pk and not finding.place]
    finding = NewFinding(
        message=message,
        kind=FindingKind.REPEATED_CONTACT,
        start=min((span.start for span in spans), default=0),
        end=max((span.end for span in spans), default=0),
        score=1.0,
        detector=PRESSING,
        version="1",
    )
    return [Verdict(topic=Topic.OFF_CHANNEL, by=Side.CUSTOMER, stance=asked[0].stance, at=message, findings=[finding])]
