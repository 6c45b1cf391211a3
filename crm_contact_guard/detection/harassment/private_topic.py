"""Private life where service is the matter: "are you single?", 何時に上がるの. A quiet sign, never an attempt.

Both sides may stray: a customer who presses an employee, an employee who pries. Notes are the employee's report and are
not judged.
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
    """Findings of kind ``private_topic``; ``technique`` is the topic (relationship, schedule, home, person)."""
    del company  # whose life is asked about is no matter of the company's contacts
    if direction is Direction.NOTE:
        return []
    if normalised.gates is not None and PRIVATE_TOPIC not in normalised.gates:
        return []
    found = []
    for hit in meant(normalised.text, packs(FAMILY))[:MAX_FINDINGS]:
        low, high = normalised.span(hit.start, hit.end)
        pattern = hit.pattern
        found.append(
            Finding(Kind.PRIVATE_TOPIC, low, high, hit.score, pattern.id, pattern.version, technique=pattern.category)
        )
    return sorted(found, key=lambda finding: (finding.start, finding.end))
