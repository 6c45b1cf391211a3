"""Opens a consultation for an employee whom a customer presses, insults or keeps demanding from at night."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from crm_contact_guard.record.models import Message
from crm_contact_guard.supervision.alerts import Verdict
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.opening import consultation_noticed
from crm_contact_guard.supervision.models import Finding, FindingKind, Side, Tier, Topic
from crm_contact_guard.supervision.pressing.night import night_demands
from crm_contact_guard.supervision.pressing.rule import PRESSING

Origin = Consultation.Origin


def help_offer(message: Message, found: Iterable[Verdict]) -> Consultation | None:
    """Open a consultation if the message calls for one, or add to an open one. Call this in the inspection."""
    origin, messages = _why(message, [verdict for verdict in found if verdict.by == Side.CUSTOMER])
    if not origin:
        return None
    kinds = (FindingKind.REPEATED_CONTACT, FindingKind.HARASSMENT)
    findings = Finding.objects.filter(message=message, by=Side.CUSTOMER, kind__in=kinds).values_list("pk", flat=True)
    return consultation_noticed(
        conversation=message.conversation, origin=origin, messages=messages, findings=list(findings)
    )


def _why(message: Message, found: list[Verdict]) -> tuple[str, list[UUID]]:
    if any(verdict.topic == Topic.HARASSMENT and verdict.tier == Tier.ALERT for verdict in found):
        return Origin.HARASSMENT, [message.pk]
    if any(finding.detector == PRESSING for verdict in found for finding in verdict.findings):
        return Origin.REPEATED_CONTACT, [message.pk]
    demanding = night_demands(message)
    return (Origin.NIGHT_DEMANDS, demanding) if demanding else ("", [])
