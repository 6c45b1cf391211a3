"""Stores findings and adds them to alerts. Each change is recorded."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.models import Alert, Finding

if TYPE_CHECKING:
    from crm_contact_guard.supervision.alerts import Verdict


def store(verdict: Verdict) -> list[tuple[Finding, bool]]:
    """Store the verdict's findings. Return the row of each finding, and whether it is new."""
    return [
        Finding.objects.get_or_create(
            message=new.message,
            kind=new.kind,
            detector=new.detector,
            place=new.place,
            start=new.start,
            end=new.end,
            defaults={
                "score": new.score,
                "version": new.version,
                "stance": verdict.stance,
                "by": verdict.by,
                "created_at": timezone.now(),
            },
        )
        for new in verdict.findings
    ]


def join(alert: Alert, findings: Sequence[Finding], made: Container[UUID]) -> None:
    """Add findings to the alert. ``made`` holds the IDs of the findings that aren't in the record yet."""
    Finding.objects.filter(pk__in=[finding.pk for finding in findings]).update(alert=alert)
    for finding in findings:
        finding.alert = alert
        record_finding(finding, "finding.made" if finding.pk in made else "finding.joined")


def record_finding(finding: Finding, kind: str) -> None:
    """Record that a finding was made or joined an alert. The event contains offsets and kinds, never text."""
    record_event(
        kind=kind,
        subject_type="finding",
        subject_id=finding.pk,
        actor_type=Event.ActorType.SYSTEM,
        message=finding.message,
        row=finding,
    )


def promoted(earlier: Sequence[Finding]) -> dict[str, object]:
    """Return the number of earlier noticed findings and the IDs of their messages, for an alert's event."""
    messages = dict.fromkeys(str(finding.message_id) for finding in earlier)
    return {"promoted": len(earlier), **({"promoted_from": list(messages)} if messages else {})}
