"""The decision before sending: scan and hours in, one of deliver, nudge or block out."""

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
    """Why a writer goes on after a nudge."""

    EMERGENCY = "emergency"
    COMPANY_CONTACT = "company_contact"
    CUSTOMER_ASKED = "customer_asked"
    MISUNDERSTOOD = "misunderstood"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Override:
    """The writer's reason for going on: a code and, except for an emergency, words."""

    code: OverrideCode
    text: str = ""

    def check(self) -> None:
        """Raises InvalidMessage (``override``) where the words are missing."""
        if self.code is not OverrideCode.EMERGENCY and not self.text.strip():
            raise InvalidMessage(_("Say in a few words why it should go out all the same."), field="override")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What happens to a message that somebody wants to send, and why (``attempt``, ``after_hours``)."""

    action: Action
    reasons: tuple[str, ...] = ()


_WEIGHT = {Action.DELIVER: 0, Action.NUDGE: 1, Action.BLOCK: 2}


def decide(*, scan: Scan, working_time: bool, emergency: bool) -> Decision:
    """The strictest action that any rule asks for. An emergency lifts the hours, never the content rules."""
    chosen = rules()
    asked: list[tuple[str, Action]] = []
    if scan.attempt:
        asked.append(("attempt", Action(chosen["attempt"])))
    if not working_time and not emergency:
        asked.append(("after_hours", Action(chosen["after_hours"])))
    action = max((action for _reason, action in asked), key=_WEIGHT.__getitem__, default=Action.DELIVER)
    return Decision(action=action, reasons=tuple(reason for reason, _action in asked))
