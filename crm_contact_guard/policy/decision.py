"""Decides on a message before it is sent, based on the scan and the time: deliver, nudge, schedule, hold or block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _

from crm_contact_guard.detection.types import Scan
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.policy import rulebook
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.presets.rule_names import Evidence
from crm_contact_guard.policy.rulebook import Applied, Rulebook
from crm_contact_guard.policy.working_time import Answer

__all__ = ["Action", "Decision", "Override", "OverrideCode", "decide"]


class OverrideCode(StrEnum):
    """The reasons that a writer can give for sending a message after a nudge."""

    EMERGENCY = "emergency"
    COMPANY_CONTACT = "company_contact"
    CUSTOMER_ASKED = "customer_asked"
    MISUNDERSTOOD = "misunderstood"
    #: The detector is wrong. This is counted apart from the reasons for sending something that was found rightly.
    MISTAKE = "mistake"
    OTHER = "other"


#: Codes that need no explanation.
WITHOUT_WORDS = (OverrideCode.EMERGENCY, OverrideCode.MISTAKE)


@dataclass(frozen=True, kw_only=True)
class Override:
    """The writer's reason for sending anyway: a code and, for most codes, an explanation."""

    code: OverrideCode
    text: str = ""

    def check(self) -> None:
        """Raise InvalidMessage (field ``override``) if the explanation is missing."""
        if self.code not in WITHOUT_WORDS and not self.text.strip():
            raise InvalidMessage(_("Say in a few words why it should go out all the same."), field="override")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The action for a message that is about to be sent, and why.

    * ``reasons``: the bases of the rules that applied, such as ``attempt`` and ``after_hours``.
    * ``earliest_send_at``: the first time (aware, UTC) at which the employee works and the customer isn't in quiet
      hours; None if there is none.
    * ``applied``: the rules that applied. ``version``: the digest of the rulebook that they are in.
    * ``evidence``, ``after_hours`` and ``quiet_hours``: what the rules were applied to.
    """

    action: Action
    reasons: tuple[str, ...] = ()
    earliest_send_at: datetime | None = None
    applied: tuple[Applied, ...] = ()
    version: str = ""
    evidence: tuple[Evidence, ...] = ()
    after_hours: bool = False
    quiet_hours: bool = False


def decide(
    *, scan: Scan, moment: Answer, emergency: bool, files: Iterable[Scan] = (), rules: Rulebook | None = None
) -> Decision:
    """Return the strictest action that any rule requires. An emergency always goes out; its reasons are kept.

    ``moment`` is the judgement on the time of the message, from ``moments.moment_of``. ``files`` are the scans of the
    message's files. ``rules`` defaults to those of the settings. No query is made.
    """
    chosen = rules or rulebook.from_settings()
    evidence = tuple(dict.fromkeys(one for part in (scan, *files) for one in rulebook.evidence_of(part)))
    after_hours = moment.after_hours and not emergency
    quiet_hours = moment.quiet_applies and not emergency
    applied = chosen.apply(evidence, after_hours=after_hours, quiet_hours=quiet_hours)
    return Decision(
        action=Action.DELIVER if emergency else rulebook.strictest(applied),
        reasons=tuple(dict.fromkeys(one.reason for one in applied)),
        earliest_send_at=moment.earliest_send_at,
        applied=applied,
        version=chosen.digest,
        evidence=evidence,
        after_hours=after_hours,
        quiet_hours=quiet_hours,
    )
