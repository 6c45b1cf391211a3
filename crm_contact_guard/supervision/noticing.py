"""Stores noticed findings, which are too weak for an alert, until they join a later alert."""

from __future__ import annotations

from typing import Any, Final

from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.alerts import Verdict
from crm_contact_guard.supervision.handling.evidence import record_finding, store
from crm_contact_guard.supervision.models import Finding

#: The event that records noticed findings. It contains offsets and kinds, never text.
NOTICED: Final = "message.noticed"


@database.atomic()
def notice(*, conversation: Conversation, verdict: Verdict) -> list[Finding]:
    """Store the verdict's findings without an alert. Return the new findings. Repeating the call adds nothing."""
    # The same lock as in alert_raise, which adds noticed findings to the alert.
    Conversation.objects.select_for_update().get(pk=conversation.pk)
    fresh = [finding for finding, created in store(verdict) if created]
    for finding in fresh:
        record_finding(finding, "finding.made")
    if fresh:
        record_event(
            kind=NOTICED,
            subject_type="message",
            subject_id=verdict.at.pk,
            actor_type=Event.ActorType.SYSTEM,
            conversation=conversation,
            message=verdict.at,
            data={
                "topic": verdict.topic,
                "by": verdict.by,
                "stance": verdict.stance,
                "findings": [recorded(finding) for finding in fresh],
            },
        )
    return fresh


def recorded(finding: Finding) -> dict[str, Any]:
    """Return a finding as stored in its event, with enough data to recreate the row."""
    return {
        "message": str(finding.message_id),
        "kind": finding.kind,
        "place": finding.place,
        "start": finding.start,
        "end": finding.end,
        # The record stores fractions as text, since not every database returns them unchanged.
        "score": f"{finding.score:.4f}",
        "detector": finding.detector,
        "version": finding.version,
    }
