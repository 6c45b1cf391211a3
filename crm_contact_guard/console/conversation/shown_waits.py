"""Why a message waits or didn't go, in the words shown under it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.record.models import Direction, Event, Message

#: The reasons that the record keeps with a wait.
WHY: Mapping[str, Any] = {
    "attempt": _("It looks like a private contact."),
    "after_hours": _("It is outside your working hours."),
    "quiet_hours": _("The customer would rather not be disturbed now."),
    "undecided": _("Nobody decided in time."),
    "never": _("There is no time at which both of you can be reached."),
    "writer": _("You no longer answer in this conversation."),
    "address": _("The customer can no longer be reached at this address."),
    "channel": _("The channel takes no free text at the moment."),
    "erased": _("The text was erased."),
}
OTHERWISE = _("The company's rules ask for it.")
#: Kinds of events that explain why a message didn't go.
_KINDS = ("delivery.returned", "delivery.rejected", "delivery.expired")
_ENDED = (Wait.State.RETURNED, Wait.State.REJECTED, Wait.State.EXPIRED)


@dataclass(frozen=True)
class ShownWait:
    """A wait, with the reasons why the message didn't go and the supervisor's remark."""

    row: Wait
    why: Sequence[Any] = ()
    remark: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the writer can still take the message back."""
        return self.row.state in (Wait.State.WAITING, Wait.State.HELD)


def waits_of(messages: Iterable[Message]) -> dict[UUID, ShownWait]:
    """Return the waits of messages that were read with theirs (``select_related("wait")``), by the message's ID."""
    rows = {
        message.pk: row
        for message in messages
        if message.direction == Direction.OUTBOUND and (row := getattr(message, "wait", None)) is not None
    }
    told = _told([key for key, row in rows.items() if row.state in _ENDED])
    return {key: ShownWait(row, *told.get(key, ())) for key, row in rows.items()}


def _told(keys: Sequence[UUID]) -> dict[UUID, tuple[Sequence[Any], str]]:
    """Return the reasons and the remark of the events that ended these waits."""
    if not keys:
        return {}
    events = Event.objects.filter(message__in=keys, kind__in=_KINDS).order_by("recorded_at")
    told: dict[UUID, tuple[Sequence[Any], str]] = {}
    for key, data, remark in events.values_list("message_id", "data", "reason"):
        codes = json.loads(data).get("reasons", [])
        told[key] = (list(dict.fromkeys(WHY.get(code, OTHERWISE) for code in codes)), remark or "")
    return told
