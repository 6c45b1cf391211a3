"""Inputs and results of a scan.

Plain frozen dataclasses without Django, shared by the engine, the command line, the gateway and the evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Direction(StrEnum):
    """Who wrote the text: ``outbound`` an employee, ``inbound`` a customer, ``note`` an employee writing a note."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    NOTE = "note"


class By(StrEnum):
    """The side an attempt comes from."""

    EMPLOYEE = "employee"
    CUSTOMER = "customer"


class Stance(StrEnum):
    """The writer's stance on leaving the company's channels."""

    OFFER = "offer"
    ASK = "ask"
    ACCEPT = "accept"
    REFUSE = "refuse"
    REPORT = "report"
    NONE = "none"

    @property
    def is_attempt(self) -> bool:
        """Whether the stance is an attempt. Offering, asking and accepting are; refusing and reporting never are."""
        return self in (Stance.OFFER, Stance.ASK, Stance.ACCEPT)


class Tier(StrEnum):
    """What a verdict leads to: ``alert`` notifies a person, ``noticed`` is only stored with the conversation."""

    ALERT = "alert"
    NOTICED = "noticed"
    NONE = "none"


class Kind(StrEnum):
    """Kinds of findings. ``after_hours`` and ``repeated_contact`` come from the policy, not from the text."""

    CONTACT_IDENTIFIER = "contact_identifier"
    CONTACT_REQUEST = "contact_request"
    PRIVATE_MEETING = "private_meeting"
    SIDE_DEAL = "side_deal"
    PRIVATE_TOPIC = "private_topic"
    AFTER_HOURS = "after_hours"
    REPEATED_CONTACT = "repeated_contact"
    HARASSMENT = "harassment"
    SENSITIVE_DATA = "sensitive_data"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a detector.

    * ``start`` and ``end``: offsets (code points) into the original text.
    * ``score``: a calibrated probability from 0 to 1.
    * ``detector``: the stable ID of the pattern or model ("ja.ask_line", "phone", "ranker").
    * ``version``: the version of the pack or weights that the finding came from.
    * ``message``: the index of the message in its thread, ``None`` for a single text.
    """

    kind: Kind
    start: int
    end: int
    score: float
    detector: str
    version: str
    message: int | None = None
    technique: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """The verdict on one text.

    ``attempt`` is true only for the tier ``alert`` with the stance offer, ask or accept. For the tier ``noticed``,
    ``by``, ``stance`` and ``findings`` describe evidence that is too weak for an alert.
    """

    attempt: bool
    by: By | None
    stance: Stance
    score: float
    findings: tuple[Finding, ...] = ()
    tier: Tier = Tier.NONE


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """One message of a thread; ``minutes_after_previous`` is the pause before it, in minutes."""

    text: str
    direction: Direction
    minutes_after_previous: float = 0.0


@dataclass(frozen=True, slots=True)
class ThreadVerdict:
    """The verdict on a thread: ``at`` is the index of the message that completes the evidence, ``by`` its side.

    ``attempt`` is true only for the tier ``alert``; for ``noticed``, ``at`` and ``by`` name the message and its side.
    """

    attempt: bool
    by: By | None
    stance: Stance
    at: int | None
    score: float
    findings: tuple[Finding, ...] = ()
    tier: Tier = Tier.NONE


@dataclass(frozen=True, slots=True)
class CompanyRule:
    """A company's own pattern, in RE2 syntax, applied to the folded text; see ``company_rules`` for the file format.

    ``kind`` is a ``Kind``, ``direction`` a ``Direction`` or ``None`` for both sides. The rule does not apply to a text
    in which ``unless`` matches as well. ``hits`` and ``misses`` are examples that the linter tests.
    """

    id: str
    kind: str
    pattern: str
    direction: str | None = None
    score: float = 0.8
    unless: str | None = None
    hits: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Company:
    """The company's own contacts, which are never private contacts, and its thresholds, words and rules.

    * ``phones`` in any notation, ``domains`` without "@", ``handles`` without the leading sign, ``emails`` and ``urls``
      in full.
    * ``regions``: ISO 3166 codes of the regions for which national phone numbers are parsed.
    * ``threshold``: the score from which a text is an alert (set by presets).
    * ``noticed``: the lower score from which a text is stored without an alert.
    * ``threshold_by_direction`` and ``noticed_by_direction`` override these two scores for one ``Direction``.
    * ``own_words`` maps a kind of finding to literal words. ``rules`` holds the company's own patterns.
    * ``version``: the version given in the findings of own words and rules.
    """

    names: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    handles: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ("JP", "US", "GB", "TH", "VN", "PH", "KR", "CN", "TW", "SG")
    threshold: float | None = None
    noticed: float | None = None
    threshold_by_direction: Mapping[Direction, float] | None = None
    noticed_by_direction: Mapping[Direction, float] | None = None
    own_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[CompanyRule, ...] = ()
    version: str = "company"
