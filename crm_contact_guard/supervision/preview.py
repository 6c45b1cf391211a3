"""What would happen to a message if it were sent now: its text, and what its files say, scanned and decided upon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from crm_contact_guard import crm, detection
from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.detection.types import Direction, Scan
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.company import company
from crm_contact_guard.policy.decision import Decision, decide
from crm_contact_guard.signals import scanning
from crm_contact_guard.supervision import contents
from crm_contact_guard.supervision.verdicts import told_beforehand


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would happen to a message. ``scan`` is that of its text, ``files`` what was found in files, if anything.

    What is merely noticed is in neither.
    """

    scan: Scan
    decision: Decision
    files: tuple[contents.Content, ...] = ()


def preview(
    *,
    actor: Employee,
    text: str,
    files: Sequence[FileIn] = (),
    emergency: bool = False,
    at: datetime | None = None,
    said: Sequence[str] = (),
) -> Preview:
    """Scan and decide without sending; records nothing, since a thought is not an act.

    ``said`` is what was said in the conversation before: what the text quotes of it is not the writer's.
    """
    with crm.tenant(actor.tenant):
        with scanning("preview"):
            scan = told_beforehand(detection.scan(text, direction=Direction.OUTBOUND, company=company(), said=said))
        in_files = [
            replace(content, scan=told_beforehand(content.scan))
            for content in contents.of_files(files, Direction.OUTBOUND)
        ]
    found = tuple(content for content in in_files if content.scan.findings)
    # One attempt anywhere in the message makes it one.
    gravest = max((scan, *(content.scan for content in found)), key=lambda one: (one.attempt, one.score))
    working = hours.is_working_time(actor, at or timezone.now())
    return Preview(scan=scan, decision=decide(scan=gravest, working_time=working, emergency=emergency), files=found)


def decision_data(looked: Preview) -> dict[str, Any]:
    """What the record keeps of a decision: kinds, detectors and places, never words."""
    found = [("", finding) for finding in looked.scan.findings]
    found += [(content.place, finding) for content in looked.files for finding in content.scan.findings]
    return {
        "decision": looked.decision.action.value,
        "reasons": list(looked.decision.reasons),
        "findings": [
            {"kind": finding.kind.value, "detector": finding.detector, **({"place": place} if place else {})}
            for place, finding in found
        ],
    }
