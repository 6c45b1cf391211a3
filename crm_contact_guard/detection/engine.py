"""One text in, one verdict out: fold, match, weigh, name the evidence.

**Contract for further detectors** (``EXTRA_DETECTORS``): a module exposes ``find(normalised, direction, company) ->
Iterable[Finding]`` over a ``Normalised`` text: ``normalised.original``, the folded ``normalised.text``, and
``normalised.span(start, end)`` that turns a folded span into offsets of the original. Offsets of a ``Finding`` are those
of the original. A detector there never makes an attempt: it reports other kinds (harassment, sensitive data, private
topic); only the company's own rules may. What it raises becomes a finding ``engine.error``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import pairwise
from operator import attrgetter

from crm_contact_guard.detection import company_rules, evidence
from crm_contact_guard.detection.candidates import Budget
from crm_contact_guard.detection.features import Evidence, extract, extract_part, space
from crm_contact_guard.detection.normalise import Normalised, normalise
from crm_contact_guard.detection.ranker import probability, ranker
from crm_contact_guard.detection.sentences import sentences_of
from crm_contact_guard.detection.types import By, Company, Direction, Finding, Kind, Scan, Stance

#: Modules that find other kinds; one place, see the contract above.
EXTRA_DETECTORS: tuple[str, ...] = (
    "crm_contact_guard.detection.sensitive",
    "crm_contact_guard.detection.harassment",
    "crm_contact_guard.detection.private_topic",
    "crm_contact_guard.detection.company_rules",
)
VERSION = "2026.11.1"
#: From this calibrated probability a stance counts, unless the company's preset says otherwise.
THRESHOLD = 0.45
#: Texts up to this length are weighed whole, longer ones in windows of it that overlap.
WINDOW = 600
OVERLAP = 150
#: How much more than a whole text a passage must weigh to count alone, and how many are tried in one message.
LOCAL_MARGIN = 0.4
#: Where a company wants it quiet, a passage that is as sure as this counts all the same.
LOCAL_PLAIN = 0.85
MAX_PASSAGES = 40
#: A short text below this probability holds no passage worth trying.
HOPELESS = 0.005
SHORT = 100
#: Windows of a long text whose evidence is listed, the most telling ones.
MAX_WINDOWS_SHOWN = 20
NO_COMPANY = Company()


@dataclass(slots=True)
class Window:
    """A part of the folded text from ``offset``, with what was found and how it weighs."""

    offset: int
    text: str
    evidence: Evidence
    probability: float


_by_probability = attrgetter("probability")


def scan(text: str, *, direction: Direction | str, company: Company | None = None) -> Scan:
    """The verdict on one text. Never raises: a failure inside is a finding ``engine.error``.

    ``direction`` says who wrote it; offsets in the findings point into ``text``.
    """
    company = company or NO_COMPANY
    try:
        side = direction if type(direction) is Direction else Direction(direction)
        normalised = normalise(text)
        budget = Budget()
        windows = [weigh(normalised, start, end, side, company, budget) for start, end in parts(normalised.text)]
        best = windows[0]
        if len(windows) == 1:
            normalised.gates = best.evidence.gates
        else:
            best = max(windows, key=_by_probability)
        threshold = THRESHOLD if company.threshold is None else company.threshold
        if best.probability < threshold and (best.probability > HOPELESS or len(text) > SHORT):
            # What is written around an attempt must not talk it away: each sentence that touches the matter counts alone.
            local = [
                window
                for window in passages(normalised, windows, side, company)
                if window.probability >= max(threshold, min(LOCAL_PLAIN, threshold + LOCAL_MARGIN))
            ]
            if local:
                windows, best = windows + local, max(local, key=_by_probability)
        return conclude(normalised, windows, best, side, company, threshold, flooded=budget.flooded)
    except Exception:  # the scanner guards the door: what breaks it is looked at by people, never let pass
        return Scan(False, None, Stance.NONE, 0.0, (failure(text),))


def failure(text: str) -> Finding:
    """The finding that stands for a crash inside."""
    return Finding(Kind.CONTACT_REQUEST, 0, len(text), 0.5, "engine.error", VERSION)


def parts(text: str) -> Iterable[tuple[int, int]]:
    """The text itself, or overlapping windows of it, cut where a sentence or word ends if one does nearby."""
    return ((0, len(text)),) if len(text) <= WINDOW else _windows(text)


def _windows(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while True:
        end = min(len(text), start + WINDOW)
        if end < len(text):
            for mark in ("\n", "。", ". ", " "):
                cut = text.rfind(mark, start + WINDOW - OVERLAP, end)
                if cut > 0:
                    end = cut + len(mark)
                    break
        yield start, end
        if end >= len(text):
            return
        start = end - OVERLAP


def weigh(
    normalised: Normalised, start: int, end: int, direction: Direction, company: Company, budget: Budget | None = None
) -> Window:
    """Evidence and probability of one window."""
    found = extract(normalised, start, end, direction, company, budget)
    whole = normalised.text
    text = whole if end - start == len(whole) else whole[start:end]
    if not found.candidates and len(whole) > WINDOW and len(found.concepts & space().topics) < 2:
        return Window(start, text, found, 0.0)  # a part of a long text that does not touch the matter
    return Window(start, text, found, probability(ranker().logit(text, found.active)))


def weigh_part(
    normalised: Normalised, window: Window, start: int, end: int, direction: Direction, company: Company
) -> Window:
    """Evidence and probability of whole sentences (``start``–``end``) of a window."""
    found = extract_part(normalised, window.evidence, window.offset, start, end, direction, company, Budget(plans=2))
    text = normalised.text[start:end]
    if not found.candidates and len(normalised.text) > WINDOW and len(found.concepts & space().topics) < 2:
        return Window(start, text, found, 0.0)
    return Window(start, text, found, probability(ranker().logit(text, found.active)))


def passages(normalised: Normalised, windows: list[Window], direction: Direction, company: Company) -> Iterator[Window]:
    """Sentences, and pairs of them, that touch the matter at two points at least, weighed for themselves."""
    left = MAX_PASSAGES
    topics = space().topics
    for window in windows:
        found = window.evidence
        if len(found.concepts & topics) + bool(found.candidates) < 2:
            continue
        spans = list(sentences_of(window.text))
        if len(spans) < 2:
            continue
        marks = [(start, hit) for hit, start, _ in found.hits if hit in topics]
        marks.extend([(candidate.start, -1) for candidate in found.candidates])
        pairs = [(first[0], second[1]) for first, second in pairwise(spans)]
        for start, end in [*spans, *pairs] if len(spans) > 2 else spans:
            if left and len({hit for at, hit in marks if start <= at < end}) >= 2:
                left -= 1
                first, last = window.offset + start, window.offset + end
                yield weigh_part(normalised, window, first, last, direction, company)


_Find = Callable[[Normalised, Direction, Company], Iterable[Finding]]


@lru_cache(maxsize=1)
def _extra_detectors() -> tuple[_Find, ...]:
    return tuple(import_module(name).find for name in EXTRA_DETECTORS)


def conclude(
    normalised: Normalised,
    windows: list[Window],
    best: Window,
    direction: Direction,
    company: Company,
    threshold: float,
    *,
    flooded: bool,
) -> Scan:
    """Findings and stance from the weighed windows; ``flooded`` when the budget for candidates was spent."""
    findings: list[Finding] = []
    attempt = best.probability >= threshold
    if attempt:
        findings = _supporting(normalised, windows, threshold)
    if flooded:
        findings.extend(evidence.floods(normalised, windows))
    for find in _extra_detectors():
        try:
            findings.extend(find(normalised, direction, company))
        except Exception:
            findings.append(failure(normalised.original))
    stance = evidence.stance(best.evidence, attempt=attempt)
    if findings:
        own = None if attempt else company_rules.attempt_stance(findings, direction)
        if own is not None:
            attempt, stance = True, own
        if len(findings) > 1:
            findings.sort(key=lambda finding: (finding.start, finding.end))
    by = (By.CUSTOMER if direction is Direction.INBOUND else By.EMPLOYEE) if attempt else None
    return Scan(attempt, by, stance, round(best.probability, 4), tuple(findings))


def _supporting(normalised: Normalised, windows: list[Window], threshold: float) -> list[Finding]:
    """What supports an attempt, from the windows that weigh enough."""
    telling = [window for window in windows if window.probability >= threshold]
    if len(telling) > MAX_WINDOWS_SHOWN:
        telling = sorted(telling, key=lambda window: -window.probability)[:MAX_WINDOWS_SHOWN]
    findings = [
        finding
        for window in telling
        for finding in evidence.findings(normalised, window.offset, window.text, window.evidence, window.probability)
    ]
    return list({(f.kind, f.start, f.end): f for f in findings}.values()) if len(findings) > 1 else findings
