"""One text in, one verdict out: fold, match, weigh, name the evidence.

**Contract for further detectors** (``EXTRA_DETECTORS``): a module exposes ``find(normalised, direction, company) ->
Iterable[Finding]`` over a ``Normalised`` text: ``normalised.original``, the folded ``normalised.text``, and
``normalised.span(start, end)`` that turns a folded span into offsets of the original. Offsets of a ``Finding`` are those
of the original. A detector there never makes an attempt: it reports other kinds (harassment, sensitive data, private
topic); only the company's own rules may. What it raises becomes a finding ``engine.error``.
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
from crm_contact_guard.detection.segments import Own, own_words, words_of_others
from crm_contact_guard.detection.text.normalise import Normalised, normalise
from crm_contact_guard.detection.text.sentences import sentences_of
from crm_contact_guard.detection.types import By, Company, Direction, Finding, Kind, Scan, Stance, Tier

#: Modules that find other kinds; one place, see the contract above.
EXTRA_DETECTORS: tuple[str, ...] = (
    "crm_contact_guard.detection.sensitive.finding",
    "crm_contact_guard.detection.harassment.finding",
    "crm_contact_guard.detection.harassment.private_topic",
    "crm_contact_guard.detection.company_rules.rules",
)
VERSION = "2026.11.1"
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


_by_probability = attrgetter("probability")


def scan(
    text: str, *, direction: Direction | str, company: Company | None = None, said: Sequence[str] | None = None
) -> Scan:
    """The verdict on what the writer of one text says in it. Never raises: a failure inside is a finding ``engine.error``.

    ``direction`` says who wrote it; offsets in the findings point into ``text``. What it quotes of others, and signatures,
    are not the writer's (see ``segments``); with ``said``, the earlier messages of the talk, only what repeats them is a quote.
    """
    company = company or NO_COMPANY
    try:
        side = direction if type(direction) is Direction else Direction(direction)
        own = own_words(text, side, said)
        return _scan(text, side, company) if own is None else mapped(_scan(own.text, side, company), own)
    except Exception:  # the scanner guards the door: what breaks it is looked at by people, never let pass
        return Scan(False, None, Stance.NONE, 0.0, (failure(text),))


def scan_others(text: str, *, direction: Direction | str, company: Company | None = None) -> Scan:
    """The verdict on what others say in a note, transcript or export that ``direction`` wrote; never raises.

    In an employee's text they are customers, in a customer's the company's people.
    """
    company = company or NO_COMPANY
    try:
        side = Direction(direction)
        own = words_of_others(text, side)
        other = Direction.OUTBOUND if side is Direction.INBOUND else Direction.INBOUND
        return mapped(_scan(own.text, other, company), own)
    except Exception:
        return Scan(False, None, Stance.NONE, 0.0, (failure(text),))


def mapped(verdict: Scan, own: Own) -> Scan:
    """The verdict on a part of a text, its findings at their places in the whole."""
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
    """The verdicts on many texts (text, who wrote it), in their order and each the same as by ``scan``, for less.

    Texts are read and judged so many at a time as ``weighing.AT_ONCE`` says; never raises but what ``messages`` raises.
    """
    company = company or NO_COMPANY
    left = iter(messages)
    while batch := list(islice(left, AT_ONCE)):
        try:
            sides = [Direction(side) for _, side in batch]
            owns = [own_words(text, side) for (text, _), side in zip(batch, sides, strict=True)]
            texts = [text if own is None else own.text for (text, _), own in zip(batch, owns, strict=True)]
            verdicts = _scan_batch(list(zip(texts, sides, strict=True)), company)
            yield from [v if own is None else mapped(v, own) for v, own in zip(verdicts, owns, strict=True)]
        except Exception:  # one of them is to blame: each alone, so that it is the only one that is named
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
        for found, (normalised, side) in zip(others, texts, strict=True):
            _seek(find, found, normalised, side, company)
    return [
        judge(normalised, windows, side, company, found, flooded=budget.flooded)
        for (normalised, side), (windows, budget), found in zip(texts, weighed, others, strict=True)
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
    """The verdict on a text whose windows are weighed; ``others`` are the findings of the further detectors."""
    best = windows[0] if len(windows) == 1 else max(windows, key=_by_probability)
    least = thresholds(direction, company)
    threshold = least.alert
    if best.probability < threshold and (best.probability > HOPELESS or len(normalised.original) > SHORT):
        # What is written around an attempt must not talk it away: each sentence that touches the matter counts alone.
        local = [
            window
            for window in passages(normalised, windows, direction, company)
            if window.probability >= max(threshold, min(LOCAL_PLAIN, threshold + LOCAL_MARGIN))
        ]
        if local:
            windows, best = windows + local, max(local, key=_by_probability)
    return conclude(normalised, windows, best, direction, others, least, flooded=flooded)


def failure(text: str) -> Finding:
    """The finding that stands for a crash inside."""
    return Finding(Kind.CONTACT_REQUEST, 0, len(text), 0.5, "engine.error", VERSION)


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


def _seek(find: _Find, found: list[Finding], normalised: Normalised, direction: Direction, company: Company) -> None:
    """Add what one further detector finds."""
    try:
        found.extend(find(normalised, direction, company))
    except Exception:
        found.append(failure(normalised.original))


def conclude(
    normalised: Normalised,
    windows: list[Window],
    best: Window,
    direction: Direction,
    others: list[Finding],
    least: Thresholds,
    *,
    flooded: bool,
) -> Scan:
    """Findings and stance from the weighed windows; ``flooded`` when the budget for candidates was spent."""
    findings: list[Finding] = []
    tier = least.tier(best.probability)
    attempt, suspected = tier is Tier.ALERT, tier is not Tier.NONE
    if suspected:
        findings = _supporting(normalised, windows, least.alert if attempt else least.noticed)
    if flooded:
        findings.extend(evidence.floods(normalised, windows))
    findings.extend(others)
    stance = evidence.stance(best.evidence, attempt=suspected)
    if findings:
        own = None if attempt else company_rules.attempt_stance(findings, direction)
        if own is not None:
            attempt, suspected, stance, tier = True, True, own, Tier.ALERT
        if len(findings) > 1:
            findings.sort(key=lambda finding: (finding.start, finding.end))
    by = (By.CUSTOMER if direction is Direction.INBOUND else By.EMPLOYEE) if suspected else None
    return Scan(attempt, by, stance, round(best.probability, 4), tuple(findings), tier)


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
