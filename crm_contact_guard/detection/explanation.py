"""Explains a verdict step by step, for people who must account for it."""

from __future__ import annotations

from crm_contact_guard.detection import encoder, engine, scan
from crm_contact_guard.detection.concepts.lexicon import lexicon
from crm_contact_guard.detection.concepts.patterns import patterns
from crm_contact_guard.detection.ranker import weighing
from crm_contact_guard.detection.ranker.features import REACHABLE
from crm_contact_guard.detection.ranker.model import ranker
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Direction


def explain(text: str, direction: Direction | str, language: str = "en", *, semantic_stage: bool = False) -> str:
    """Describe every step of ``engine.scan``: folding, concepts, candidates, weights, findings and reasons."""
    side = Direction(direction)
    normalised = normalise(text)
    verdict = engine.scan(text, direction=side)
    words, learned = lexicon(), ranker()
    lines = [f"folded: {normalised.text}"]
    for start, end in weighing.parts(normalised.text):
        window = weighing.weigh(normalised, start, end, side, engine.NO_COMPANY)
        lines.append(f"window {start}: probability {window.probability:.3f} (weights {learned.version})")
        named = {
            (hit.start, hit.end, f"{hit.language}.{words.concepts[hit.concept]}")
            for hit in words.named_hits(window.text)
        }
        lines.append("  words: " + ", ".join(f"{window.text[low:high]!r} {name}" for low, high, name in sorted(named)))
        for number, low, high in window.evidence.patterns:
            lines.append(f"  pattern: {patterns()[number].id} {window.text[low:high]!r}")
        for candidate in window.evidence.candidates:
            status = "reachable" if f"{candidate.sort}:{candidate.shape}" in REACHABLE else "not a contact by its form"
            lines.append(
                f"  candidate: {candidate.sort} {candidate.shape} {candidate.technique} {candidate.value!r} ({status})"
            )
        weighed = ", ".join(f"{name} {weight:+.2f}" for name, weight in learned.contributions(window.evidence.active))
        lines.append("  weighed most: " + weighed)
    if semantic_stage and encoder.available():
        opinion = encoder.opinion(text, side)
        quick, verdict = verdict, scan(text, direction=side, semantic_stage=True)
        lines.append(
            f"encoder {encoder.version()}: log odds of an attempt {opinion.attempt:+.2f} ({opinion.likeliest}), of harassment "
            f"{opinion.harassment:+.2f}, {text[opinion.start : opinion.end]!r}; score {quick.score} becomes {verdict.score}"
        )
    lines.append(f"verdict: attempt={verdict.attempt} by={verdict.by} stance={verdict.stance} score={verdict.score}")
    for finding in verdict.findings:
        excerpt = text[finding.start : finding.end]
        lines.append(
            f"  {finding.kind} [{finding.start}:{finding.end}] {excerpt!r} {finding.detector} {finding.version}: {reason(finding.detector, language)}"
        )
    return "\n".join(lines)


def reason(detector: str, language: str = "en") -> str:
    """Return the reason for a detector ID as text.

    An unknown ID (from an older pack) is returned as "Detector <id>".
    """
    reasons = lexicon().reasons | {pattern.id: pattern.reasons for pattern in patterns()}
    name = detector.removeprefix("thread.")
    while name not in reasons and "." in name:
        name = name.rpartition(".")[0]  # "harassment.threat.ja.…" is explained by its longest known prefix
    texts = reasons.get(name)
    if texts is None:
        return f"検出器 {detector}" if language == "ja" else f"Detector {detector}"
    return texts["ja" if language.startswith("ja") else "en"]
