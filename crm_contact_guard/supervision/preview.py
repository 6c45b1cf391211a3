"""Previews the decision on a message by scanning its text and files as if it were sent now."""

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
from crm_contact_guard.policy import moments, rulebook
from crm_contact_guard.policy.company import company
from crm_contact_guard.policy.decision import Decision, decide
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.signals import scanning
from crm_contact_guard.supervision import contents
from crm_contact_guard.supervision.verdicts import told_beforehand


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would happen to a message. ``scan`` is the scan of its text; ``files`` has those of files with findings.

    Neither includes noticed findings.
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
    conversation: Conversation | None = None,
) -> Preview:
    """Scan a draft and decide on it without sending it. Nothing is recorded, since an unsent draft is private.

    ``said`` contains the earlier messages of the conversation. Text quoted from them isn't attributed to the writer.
    Without ``conversation``, nobody is known to have written before, and the customer has no quiet hours.
    """
    with crm.tenant(actor.tenant):
        with scanning("preview"):
            scan = told_beforehand(detection.scan(text, direction=Direction.OUTBOUND, company=company(), said=said))
        in_files = [
            replace(content, scan=told_beforehand(content.scan))
            for content in contents.of_files(files, Direction.OUTBOUND)
        ]
    with_findings = tuple(content for content in in_files if content.scan.findings)
    moment = moments.moment_of(actor, at or timezone.now(), conversation=conversation, emergency=emergency)
    in_each_file = [content.scan for content in with_findings]
    decision = decide(scan=scan, moment=moment, emergency=emergency, files=in_each_file)
    return Preview(scan=scan, decision=decision, files=with_findings)


def decision_data(looked: Preview) -> dict[str, Any]:
    """Return the data that the record keeps of a decision: what it rests on and by which rules, never text."""
    decision = looked.decision
    findings = [("", finding) for finding in looked.scan.findings]
    findings += [(content.place, finding) for content in looked.files for finding in content.scan.findings]
    return {
        "decision": decision.action.value,
        "reasons": list(decision.reasons),
        "policy": decision.version,
        "rules": [one.rule for one in decision.applied],
        "evidence": [rulebook.as_data(one) for one in decision.evidence],
        "after_hours": decision.after_hours,
        "quiet_hours": decision.quiet_hours,
        "findings": [
            {"kind": finding.kind.value, "detector": finding.detector, **({"place": place} if place else {})}
            for place, finding in findings
        ],
    }
