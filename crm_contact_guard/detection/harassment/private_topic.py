"""Finds questions about private life ("are you single?", 何時に上がるの), a weak signal that is never an attempt.

Messages from both customers and employees are checked. Notes are skipped because they are an employee's reports.
"""

from __future__ import annotations

from collections.abc import Iterable

from crm_contact_guard.detection.gates import PRIVATE_TOPIC, TOPICS
from crm_contact_guard.detection.harassment.finding import meant
from crm_contact_guard.detection.harassment.packs import packs
from crm_contact_guard.detection.text.normalise import Normalised
from crm_contact_guard.detection.types import Company, Direction, Finding, Kind

FAMILY = TOPICS
MAX_FINDINGS = 5


def find(normalised: Normalised, direction: Direction, company: Company) -> Iterable[Finding]:
    """Return findings of kind ``private_topic``. Their ``technique`` is relationship, schedule, home or person."""
    del company  # the company's contacts have no influence here
    if direction is Direction.NOTE:
        return []
    if normalised.gates is not None and PRIVATE_TOPIC not in normalised.gates:
        return []
    findings = []
    for hit in meant(normalised.text, packs(FAMILY))[:MAX_FINDINGS]:
        low, high = normalised.span(hit.start, hit.end)
        pattern = hit.pattern
        findings.append(
            Finding(Kind.PRIVATE_TOPIC, low, high, hit.score, pattern.id, pattern.version, technique=pattern.category)
        )
    return sorted(findings, key=lambda finding: (finding.start, finding.end))
