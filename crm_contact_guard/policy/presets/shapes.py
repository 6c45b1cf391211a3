"""The content of a preset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from crm_contact_guard.detection.types import Direction
from crm_contact_guard.policy.actions import Action

#: Languages in which every text of a preset exists.
LANGUAGES: Final = ("en", "ja")
#: Kinds of wordings that a writer is offered: to decline kindly, and to come back to the company's channel.
WordingKind = Literal["decline", "return"]
WORDINGS: Final = ("decline", "return")
#: What the guidance of Japan's Personal Information Protection Commission (Q&A 5-7) asks of a company that monitors its
#: employees: the purpose fixed and shown; the responsible person and their powers; rules on how, which operators know;
#: checks that it is done by the rules; consultation of the union; rules made known.
PPC_FIELDS: Final = ("purpose", "responsible", "procedure", "checks", "consultation", "publication")
#: The six headings of the European Court of Human Rights, Bărbulescu v. Romania (5 September 2017), paragraph 121.
BARBULESCU_FIELDS: Final = ("beforehand", "extent", "reasons", "milder_means", "consequences", "safeguards")
NOTICE_FIELDS: Final = (*PPC_FIELDS, *BARBULESCU_FIELDS)
#: Outcomes of a case about conduct, from the mildest; and of a case in which the customer is the one pressing.
CONDUCT_OUTCOMES: Final = (
    "no_action",
    "coaching",
    "verbal_warning",
    "written_apology",
    "pay_cut",
    "suspension",
    "demotion",
    "advised_resignation",
    "dismissal",
    "legal_referral",
)
PROTECTION_OUTCOMES: Final = ("handover", "customer_warned", "contact_restricted", "police_referral")

#: A text by language.
Text = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A step of the ladder of outcomes: its kind, and its name in the company's words."""

    kind: str
    label: Text

    @property
    def protects(self) -> bool:
        """Whether it is an outcome for the case of a pressing customer."""
        return self.kind in PROTECTION_OUTCOMES


@dataclass(frozen=True, kw_only=True)
class Hours:
    """Proposed working and quiet hours, in the form of ``WORKING_HOURS``."""

    working: Mapping[str, str]
    #: In the customer's zone, such as ``21:00-08:00``. Empty if none are proposed.
    quiet: str


@dataclass(frozen=True, kw_only=True)
class Preset:
    """What an industry starts from.

    * ``rules``: actions by rule, see ``rule_names``.
    * ``sensitivity``: word by direction, see ``thresholds``.
    * ``hours`` and ``retention`` (a name in ``retention.PRESETS``) are proposals only. Nothing uses them until the
      company sets them.
    * ``review_share``: share of conversations without an alert that a supervisor is asked to look at, from 0 to 1.
    * ``pseudonyms``: whether names are hidden in the queue until an alert is claimed.
    * ``outcomes``: the ladder of outcomes, in the order in which it is shown.
    * ``clause``: a clause for the work rules. ``notice``: the notice to employees, by field and language.
      ``customer_notice``: what customers are told. ``{company}`` stands for the company's name.
    * ``wordings``: sentences that a writer is offered, by kind and language.
    """

    name: str
    label: Text
    rules: Mapping[str, Action]
    sensitivity: Mapping[Direction, str]
    hours: Hours
    retention: str
    review_share: float
    pseudonyms: bool
    outcomes: tuple[Outcome, ...]
    clause: Text
    notice: Mapping[str, Text]
    customer_notice: Text
    wordings: Mapping[str, Mapping[str, tuple[str, ...]]]
