"""Applies the encoder's opinion and the conversation to a verdict: its harassment findings and its stance."""

from __future__ import annotations

from dataclasses import replace

from crm_contact_guard.detection import encoder
from crm_contact_guard.detection.decision import ALERT, decision, logistic
from crm_contact_guard.detection.encoder.classes import stance_of
from crm_contact_guard.detection.talk import Talk
from crm_contact_guard.detection.types import Direction, Finding, Kind, Scan, Stance, Tier


def harassing(findings: list[Finding], opinion: encoder.Opinion | None, side: Direction, place: int) -> list[Finding]:
    """Return the findings with harassment rescored by the encoder, which may also add or remove harassment findings."""
    if opinion is None or side is not Direction.INBOUND:
        return findings
    weights = decision().harassment
    pattern_score = max((finding.score for finding in findings if finding.kind is Kind.HARASSMENT), default=0.0)
    score = round(
        logistic(weights["bias"] + weights["deep"] * opinion.harassment + weights["worded"] * pattern_score), 4
    )
    others = [finding for finding in findings if finding.kind is not Kind.HARASSMENT]
    if score < weights["noticed"]:
        return others
    rescored = [replace(finding, score=score) for finding in findings if finding.kind is Kind.HARASSMENT]
    if not rescored:
        rescored = [
            Finding(
                Kind.HARASSMENT,
                opinion.start,
                opinion.end,
                score,
                "semantic.harassment",
                encoder.version(),
                message=place,
            )
        ]
    return [*others, *rescored]


def stance_of_verdict(scan: Scan, talk: Talk, opinion: encoder.Opinion | None) -> Stance:
    """Return the stance of an attempt: from the quick scan if it alerts, else from the conversation or the encoder."""
    if scan.tier is not Tier.NONE and scan.stance.is_attempt and scan.score >= ALERT:
        return scan.stance
    if talk.accepts:
        return Stance.ACCEPT
    if talk.joined or talk.assembled or talk.answers:
        return Stance.OFFER
    if opinion is not None:
        return stance_of(opinion.likeliest)
    return scan.stance if scan.stance.is_attempt else Stance.ASK


def declined(scan: Scan) -> Stance:
    """Return the stance of a message that turned out not to be an attempt."""
    return Stance.NONE if scan.stance.is_attempt else scan.stance
