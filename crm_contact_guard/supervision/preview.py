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
from crm_contact_guard.policy.decision import Decision, decide
from crm_contact_guard.policy.versions.current import Version, company_now, in_force
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.signals import scanning
from crm_contact_guard.supervision import contents
from crm_contact_guard.supervision.quality.silencing import scan_with
from crm_contact_guard.supervision.verdicts import told_beforehand


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would happen to a message. ``scan`` is the scan of its text; ``files`` has those of files with findings.

    Neither includes noticed findings. ``rules`` are those that the decision rests on. ``silent`` is the decision of the
    rules that run silently, if there are any; nothing acts on it.
    """

    scan: Scan
    decision: Decision
    files: tuple[contents.Content, ...] = ()
    rules: Version
    silent: Decision | None = None


def preview(
    *,
    actor: Employee,
    text: str,
    files: Sequence[FileIn] = (),
    emergency: bool = False,
    at: datetime | None = None,
    said: Sequence[str] = (),
    conversation: Conversation | None = None,
    recorded: Message | None = None,
) -> Preview:
    """Scan a draft and decide on it without sending it. Nothing is recorded, since an unsent draft is private.

    ``said`` contains the earlier messages of the conversation. Text quoted from them isn't attributed to the writer.
    ``recorded``: the message, if it is recorded already; its stored files are scanned instead of ``files``.
    Without ``conversation``, nobody is known to have written before, and the customer has no quiet hours.
    """
    with crm.tenant(actor.tenant):
        now = in_force(actor.tenant)
        with scanning("preview"):
            found = detection.scan(text, direction=Direction.OUTBOUND, company=company_now(), said=said)
        scan = scan_with(now.rules, told_beforehand(found), text)
        direction = Direction.OUTBOUND
        scanned = contents.of_files(files, direction) if recorded is None else contents.of_message(recorded)
        in_files = [replace(content, scan=told_beforehand(content.scan)) for content in scanned]
        with_findings = tuple(content for content in in_files if content.scan.findings)
        moment = moments.moment_of(actor, at or timezone.now(), conversation=conversation, emergency=emergency)
        in_each_file = [content.scan for content in with_findings]
        decision = decide(scan=scan, moment=moment, emergency=emergency, files=in_each_file, rules=now.rules)
        silent = None
        if now.shadow is not None:
            rules = now.shadow.rules
            other = scan
            if rules.thresholds != now.rules.thresholds:
                other = detection.scan(text, direction=Direction.OUTBOUND, company=company_now(rules), said=said)
            silent = decide(scan=other, moment=moment, emergency=emergency, files=in_each_file, rules=rules)
    return Preview(scan=scan, decision=decision, files=with_findings, rules=now.version, silent=silent)


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
