"""Decides on a message before it is sent, based on the scan and the time: deliver, nudge, schedule, hold or block."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _

from crm_contact_guard.detection.types import Scan
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.policy.presets import rules
from crm_contact_guard.policy.working_time import Answer


class Action(StrEnum):
    """What happens to a message, from the mildest to the strictest action."""

    DELIVER = "deliver"
    NUDGE = "nudge"
    SCHEDULE = "schedule"
    HOLD = "hold"
    BLOCK = "block"


class OverrideCode(StrEnum):
    """The reasons that a writer can give for sending a message after a nudge."""

    EMERGENCY = "emergency"
    COMPANY_CONTACT = "company_contact"
    CUSTOMER_ASKED = "customer_asked"
    MISUNDERSTOOD = "misunderstood"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Override:
    """The writer's reason for sending anyway: a code and, except in an emergency, an explanation."""

    code: OverrideCode
    text: str = ""

    def check(self) -> None:
        """Raise InvalidMessage (field ``override``) if the explanation is missing."""
        if self.code is not OverrideCode.EMERGENCY and not self.text.strip():
            raise InvalidMessage(_("Say in a few words why it should go out all the same."), field="override")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The action for a message that is about to be sent, and the names of the rules that require it.

    ``earliest_send_at`` is the first time (aware, UTC) at which the employee works and the customer isn't in quiet
    hours; None if there is none.
    """

    action: Action
    reasons: tuple[str, ...] = ()
    earliest_send_at: datetime | None = None


_STRICTNESS = list(Action).index


def decide(*, scan: Scan, moment: Answer, emergency: bool) -> Decision:
    """Return the strictest action that any rule requires. Emergencies override the hours, but not content rules.

    ``moment`` is the judgement on the time of the message, from ``moments.moment_of``.
    """
    chosen = rules()
    required: list[tuple[str, Action]] = []
    if scan.attempt:
        required.append(("attempt", Action(chosen["attempt"])))
    if moment.after_hours and not emergency:
        required.append(("after_hours", Action(chosen["after_hours"])))
    if moment.quiet_applies:
        required.append(("quiet_hours", Action(chosen["quiet_hours"])))
    return Decision(
        action=max((action for _reason, action in required), key=_STRICTNESS, default=Action.DELIVER),
        reasons=tuple(reason for reason, _action in required),
        earliest_send_at=moment.earliest_send_at,
    )
