"""Decides on a message before it is sent: deliver, nudge or block, based on the scan and the working hours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from crm_contact_guard.detection.types import Scan
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.policy.presets import rules


class Action(StrEnum):
    DELIVER = "deliver"
    NUDGE = "nudge"
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
    """The action for a message that is about to be sent, and the reasons (``attempt``, ``after_hours``)."""

    action: Action
    reasons: tuple[str, ...] = ()


_WEIGHT = {Action.DELIVER: 0, Action.NUDGE: 1, Action.BLOCK: 2}


def decide(*, scan: Scan, working_time: bool, emergency: bool) -> Decision:
    """Return the strictest action that any rule requires. Emergencies override working hours, but not content rules."""
    chosen = rules()
    required: list[tuple[str, Action]] = []
    if scan.attempt:
        required.append(("attempt", Action(chosen["attempt"])))
    if not working_time and not emergency:
        required.append(("after_hours", Action(chosen["after_hours"])))
    action = max((action for _reason, action in required), key=_WEIGHT.__getitem__, default=Action.DELIVER)
    return Decision(action=action, reasons=tuple(reason for reason, _action in required))
