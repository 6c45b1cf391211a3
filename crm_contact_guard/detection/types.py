"""What goes into a scan and what comes out of it.

Plain frozen dataclasses: the engine, the command line, the gateway and the evaluation share them, and none of
them needs Django.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Direction(StrEnum):
    """Who wrote the text: ``outbound`` is the employee, ``inbound`` the customer, ``note`` an employee's own log."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    NOTE = "note"


class By(StrEnum):
    """The side an attempt comes from."""

    EMPLOYEE = "employee"
    CUSTOMER = "customer"


class Stance(StrEnum):
    """How the writer stands towards leaving the company's channels."""

    OFFER = "offer"
    ASK = "ask"
    ACCEPT = "accept"
    REFUSE = "refuse"
    REPORT = "report"
    NONE = "none"

    @property
    def is_attempt(self) -> bool:
        """Only offering, asking and accepting try to move the talk; refusing and reporting never do."""
        return self in (Stance.OFFER, Stance.ASK, Stance.ACCEPT)


class Tier(StrEnum):
    """How far a verdict goes: ``alert`` warns a person, ``noticed`` is kept with the talk and disturbs nobody."""

    ALERT = "alert"
    NOTICED = "noticed"
    NONE = "none"


class Kind(StrEnum):
    """Finding kinds. ``after_hours`` and ``repeated_contact`` come from the policy, not from text."""

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
    """One thing a detector saw.

    ``start``/``end`` are offsets (code points) into the original text, ``score`` is a calibrated probability 0…1,
    ``detector`` the stable id of the pattern or model ("ja.ask_line", "phone", "ranker"), ``version`` the version of
    the pack or weights it came from. ``message`` is the index within a thread, ``None`` for a single text.
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

    ``attempt`` holds only for the tier ``alert`` and the stances offer, ask and accept. For the tier ``noticed``, ``by``,
    ``stance`` and ``findings`` say what was too unsure to warn anybody.
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

    ``attempt`` holds for the tier ``alert`` alone; for ``noticed``, ``at`` and ``by`` say what was noticed.
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
    """A company's own pattern, in RE2 syntax on the folded text; see ``company_rules`` for the file it comes from.

    ``kind`` is a ``Kind``, ``direction`` a ``Direction`` or ``None`` for either side; where ``unless`` stands too, the rule
    is silent. ``hits`` and ``misses`` are examples that the linter tries.
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
    """What belongs to the company itself and is therefore never a private contact.

    ``phones`` in any notation, ``domains`` without "@", ``handles`` without leading sign, ``emails`` and ``urls``
    whole; ``regions`` are ISO 3166 codes in which a national phone number is read; ``threshold`` is the score from
    which a stance counts as an attempt (presets choose it), ``noticed`` the lower one from which it is kept without
    warning anybody. ``threshold_by_direction`` and ``noticed_by_direction`` say the same for texts of one ``Direction``
    and come first; a direction that they do not name has the common one. ``own_words`` are literal words by the kind of
    finding they make, ``rules`` patterns of the company's own; ``version`` names its file in what they find.
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
