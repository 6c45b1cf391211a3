"""The quick scan of one text: folds it, matches words and identifiers, scores it and reports findings.

**Contract for other detectors** (``EXTRA_DETECTORS``): each module exposes ``find(normalised, direction, company) ->
Iterable[Finding]`` over a ``Normalised`` text: ``normalised.original``, the folded ``normalised.text``, and
``normalised.span(start, end)``, which maps a folded span to offsets in the original. Offsets of a ``Finding`` refer to
the original. Except for the company's own rules, these detectors report other kinds (harassment, sensitive data,
private topic) and never an attempt. An exception becomes a finding ``engine.error``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from itertools import islice, pairwise
from operator import attrgetter

from crm_contact_guard.detection import evidence
from crm_contact_guard.detection.company_rules import rules as company_rules
from crm_contact_guard.detection.decision import Thresholds, thresholds
from crm_contact_guard.detection.identifiers.candidates import Budget
from crm_contact_guard.detection.ranker.features import space
from crm_contact_guard.detection.ranker.weighing import AT_ONCE, WINDOW, Window, weigh_part, weigh_text, weigh_texts
from crm_contact_guard.detection.segments import Own, own_words
from crm_contact_guard.detection.text.normalise import Normalised, normalise
from crm_contact_guard.detection.text.sentences import sentences_of
from crm_contact_guard.detection.types import By, Company, Direction, Finding, Kind, Scan, Stance, Tier

#: Modules that find other kinds; see the contract above.
EXTRA_DETECTORS: tuple[str, ...] = (
    "crm_contact_guard.detection.sensitive.finding",
    "crm_contact_guard.detection.harassment.finding",
    "crm_contact_guard.detection.harassment.private_topic",
    "crm_contact_guard.detection.company_rules.rules",
)
VERSION = "2026.11.1"
#: How far above the threshold the probability of a passage must be to count without the rest of the text.
LOCAL_MARGIN = 0.4
#: A passage with this probability counts even if the company's threshold is higher.
LOCAL_PLAIN = 0.85
#: Maximum number of passages scored in one message.
MAX_PASSAGES = 40
#: For how many windows of a long text evidence is reported. They are the ones with the highest probability.
MAX_WINDOWS_SHOWN = 20
NO_COMPANY = Company()


_by_probability = attrgetter("probability")


def scan(
    text: str, *, direction: Direction | str, company: Company | None = None, said: Sequence[str] | None = None
) -> Scan:
    """Return the verdict on the writer's own words in a text.

    Never raises: a failure becomes a finding ``engine.error``. ``direction`` says who wrote the text. Offsets in the
    findings point into ``text``. Quotes from others and signatures are not the writer's words (see ``segments``). If
    ``said``, the earlier messages of the conversation, is given, only text that repeats one of them counts as a quote.
    """
    company = company or NO_COMPANY
    try:
        side = direction if type(direction) is Direction else Direction(direction)
        own = own_words(text, side, said)
        return _scan(text, side, company) if own is None else mapped(_scan(own.text, side, company), own)
    except Exception:  # fail closed: a text that breaks the scanner is reviewed by a person
        return Scan(False, None, Stance.NONE, 0.0, (failure(text),))


def mapped(verdict: Scan, own: Own) -> Scan:
    """Return the verdict on a part of a text, with findings mapped to the whole text."""
    findings = []
    for finding in verdict.findings:
        start, end = own.span(finding.start, finding.end)
        findings.append(replace(finding, start=start, end=end))
    return replace(verdict, findings=tuple(findings)) if findings else verdict


def _scan(text: str, side: Direction, company: Company) -> Scan:
    normalised = normalise(text)
    budget = Budget()
    windows = weigh_text(normalised, side, company, budget)
    if len(windows) == 1:
        normalised.gates = windows[0].evidence.gates
    others: list[Finding] = []
    for find in _extra_detectors():
        _seek(find, others, normalised, side, company)
    return judge(normalised, windows, side, company, others, flooded=budget.flooded)


def scan_many(messages: Iterable[tuple[str, Direction | str]], *, company: Company | None = None) -> Iterator[Scan]:
    """Yield the verdicts on many messages, given as (text, direction), in order.

    The results are the same as those of ``scan``, but faster.

    Reads and judges ``weighing.AT_ONCE`` texts at a time. Raises only what ``messages`` raises.
    """
    company = company or NO_COMPANY
    remaining = iter(messages)
    while batch := list(islice(remaining, AT_ONCE)):
        try:
            sides = [Direction(side) for _, side in batch]
            owns = [own_words(text, side) for (text, _), side in zip(batch, sides, strict=True)]
            texts = [text if own is None else own.text for (text, _), own in zip(batch, owns, strict=True)]
            verdicts = _scan_batch(list(zip(texts, sides, strict=True)), company)
            yield from [v if own is None else mapped(v, own) for v, own in zip(verdicts, owns, strict=True)]
        except Exception:  # scan each alone, so that only the failing text is reported
            yield from [scan(text, direction=side, company=company) for text, side in batch]


def _scan_batch(batch: list[tuple[str, Direction]], company: Company) -> list[Scan]:
    texts = [(normalise(text), side) for text, side in batch]
    short = iter(weigh_texts([(text, side) for text, side in texts if len(text.text) <= WINDOW], company))
    weighed: list[tuple[list[Window], Budget]] = []
    for normalised, side in texts:
        if len(normalised.text) <= WINDOW:
            window, budget = next(short)
            normalised.gates = window.evidence.gates
            weighed.append(([window], budget))
        else:
            budget = Budget()
            weighed.append((weigh_text(normalised, side, company, budget), budget))
    others: list[list[Finding]] = [[] for _ in batch]
    for find in _extra_detectors():
        for findings, (normalised, side) in zip(others, texts, strict=True):
            _seek(find, findings, normalised, side, company)
    return [
        judge(normalised, windows, side, company, findings, flooded=budget.flooded)
        for (normalised, side), (windows, budget), findings in zip(texts, weighed, others, strict=True)
    ]


def judge(
    normalised: Normalised,
    windows: list[Window],
    direction: Direction,
    company: Company,
    others: list[Finding],
    *,
    flooded: bool,
) -> Scan:
    """Return the verdict on a text with scored windows. ``others`` holds the findings of the other detectors."""
    best = windows[0] if len(windows) == 1 else max(windows, key=_by_probability)
    limits = thresholds(direction, company)
    threshold = limits.alert
    if best.probability < threshold:
        # Text around an attempt must not dilute it: relevant sentences are also scored on their own.
        local = [
            window
            for window in passages(normalised, windows, direction, company)
            if window.probability >= max(threshold, min(LOCAL_PLAIN, threshold + LOCAL_MARGIN))
        ]
        if local:
            windows, best = windows + local, max(local, key=_by_probability)
    return conclude(normalised, windows, best, direction, others, limits, flooded=flooded)


def failure(text: str) -> Finding:
    """Return the finding that reports a failure of the scanner."""
    return Finding(Kind.CONTACT_REQUEST, 0, len(text), 0.5, "engine.error", VERSION)


def passages(normalised: Normalised, windows: list[Window], direction: Direction, company: Company) -> Iterator[Window]:
    """Score on their own any sentences, and pairs of sentences, with at least two relevant words or candidates."""
    remaining = MAX_PASSAGES
    topics = space().topics
    for window in windows:
        window_evidence = window.evidence
        if len(window_evidence.concepts & topics) + bool(window_evidence.candidates) < 2:
            continue
        spans = list(sentences_of(window.text))
        if len(spans) < 2:
            continue
        marks = [(start, hit) for hit, start, _ in window_evidence.hits if hit in topics]
        marks.extend([(candidate.start, -1) for candidate in window_evidence.candidates])
        pairs = [(first[0], second[1]) for first, second in pairwise(spans)]
        for start, end in [*spans, *pairs] if len(spans) > 2 else spans:
            if remaining and len({hit for at, hit in marks if start <= at < end}) >= 2:
                remaining -= 1
                first, last = window.offset + start, window.offset + end
                yield weigh_part(normalised, window, first, last, direction, company)


_Find = Callable[[Normalised, Direction, Company], Iterable[Finding]]


@lru_cache(maxsize=1)
def _extra_detectors() -> tuple[_Find, ...]:
    return tuple(import_module(name).find for name in EXTRA_DETECTORS)


def _seek(find: _Find, findings: list[Finding], normalised: Normalised, direction: Direction, company: Company) -> None:
    """Add the findings of one of the other detectors."""
    try:
        findings.extend(find(normalised, direction, company))
    except Exception:
        findings.append(failure(normalised.original))


def conclude(
    normalised: Normalised,
    windows: list[Window],
    best: Window,
    direction: Direction,
    others: list[Finding],
    limits: Thresholds,
    *,
    flooded: bool,
) -> Scan:
    """Return the verdict from the scored windows. ``flooded`` says that the budget for candidates was exhausted."""
    findings: list[Finding] = []
    tier = limits.tier(best.probability)
    attempt, suspected = tier is Tier.ALERT, tier is not Tier.NONE
    if suspected:
        findings = _supporting(normalised, windows, limits.alert if attempt else limits.noticed)
    if flooded:
        findings.extend(evidence.floods(normalised, windows))
    findings.extend(others)
    stance = evidence.stance(best.evidence, attempt=suspected)
    if findings:
        rule_stance = None if attempt else company_rules.attempt_stance(findings, direction)
        if rule_stance is not None:
            attempt, suspected, stance, tier = True, True, rule_stance, Tier.ALERT
        if len(findings) > 1:
            findings.sort(key=lambda finding: (finding.start, finding.end))
    by = (By.CUSTOMER if direction is Direction.INBOUND else By.EMPLOYEE) if suspected else None
    return Scan(attempt, by, stance, round(best.probability, 4), tuple(findings), tier)


def _supporting(normalised: Normalised, windows: list[Window], threshold: float) -> list[Finding]:
    """Return the findings of an attempt, from the windows that reach the threshold."""
    relevant = [window for window in windows if window.probability >= threshold]
    if len(relevant) > MAX_WINDOWS_SHOWN:
        relevant = sorted(relevant, key=lambda window: -window.probability)[:MAX_WINDOWS_SHOWN]
    findings = [
        finding
        for window in relevant
        for finding in evidence.findings(normalised, window.offset, window.text, window.evidence, window.probability)
    ]
    return list({(f.kind, f.start, f.end): f for f in findings}.values()) if len(findings) > 1 else findings
