"""What silent rules found is noticed: it is kept, but nobody is warned, and no rule before sending applies to it."""

from __future__ import annotations

from dataclasses import replace

from crm_contact_guard import detection
from crm_contact_guard.detection.types import Scan
from crm_contact_guard.policy.rulebook import Rulebook, SilentRule
from crm_contact_guard.supervision.alerts import Verdict
from crm_contact_guard.supervision.models import Tier
from crm_contact_guard.supervision.quality.scripts import script_of


def verdict_with(rules: Rulebook, verdict: Verdict) -> Verdict:
    """Return the verdict, only noticed if all its findings are by silent rules."""
    if not rules.silent or verdict.tier != Tier.ALERT:
        return verdict
    found = {SilentRule(one.detector, one.version, script_of(one.message.text)) for one in verdict.findings}
    return replace(verdict, tier=Tier.NOTICED) if found and found <= set(rules.silent) else verdict


def scan_with(rules: Rulebook, scan: Scan, text: str) -> Scan:
    """Return what a scan of a draft says without the findings of silent rules; no attempt rests on them alone."""
    if not rules.silent or not scan.findings:
        return scan
    script = script_of(text)
    left = tuple(one for one in scan.findings if SilentRule(one.detector, one.version, script) not in set(rules.silent))
    if left:
        return replace(scan, findings=left)
    return replace(scan, attempt=False, by=None, stance=detection.Stance.NONE, tier=detection.Tier.NONE, findings=())
