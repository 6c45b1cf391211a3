"""Questions about private life: found from either side, but not where the service needs them."""

from __future__ import annotations

import pytest

from crm_contact_guard.detection import scan
from crm_contact_guard.detection.harassment.packs import LANGUAGES, Pattern, read_patterns
from crm_contact_guard.detection.harassment.private_topic import FAMILY, find
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Company, Direction, Finding, Kind

PATTERNS = [pattern for language in LANGUAGES for pattern in read_patterns(language, FAMILY)]


def seen(text: str, direction: Direction = Direction.INBOUND) -> list[Finding]:
    return list(find(normalise(text), direction, Company()))


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.id)
def test_hits_are_findings_and_misses_are_not(pattern: Pattern) -> None:
    assert pattern.hits
    assert pattern.misses
    for text in pattern.hits:
        assert pattern.id in [finding.detector for finding in seen(text)], text
    for text in pattern.misses:
        assert not seen(text), text


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("彼氏いるの？", "relationship"),
        ("今日何時に上がるの？", "schedule"),
        ("Do you live alone?", "home"),
        ("Are you single?", "relationship"),
    ],
)
def test_topic_and_evidence(text: str, topic: str) -> None:
    (finding,) = seen(text)
    assert finding.kind is Kind.PRIVATE_TOPIC
    assert finding.technique == topic
    assert finding.score < 0.7


def test_both_sides_are_checked_but_notes_are_reports() -> None:
    assert seen("彼氏いるの？", Direction.OUTBOUND)
    assert not seen("彼氏いるの？と聞かれました", Direction.INBOUND)
    assert not seen("彼氏いるの？", Direction.NOTE)


def test_it_is_part_of_the_scan_but_not_an_attempt() -> None:
    verdict = scan("店員さん何歳なの？", direction=Direction.INBOUND)
    assert [finding.kind for finding in verdict.findings] == [Kind.PRIVATE_TOPIC]
    assert not verdict.attempt
