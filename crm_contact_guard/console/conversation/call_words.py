"""Details of a note about a call or meeting, including the outcome of a phone call in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm_contact_guard.channels.base import CallOutcome

_WORDS = {
    CallOutcome.MISSED.value: gettext_lazy("not answered"),
    CallOutcome.BUSY.value: gettext_lazy("busy"),
    CallOutcome.FAILED.value: gettext_lazy("did not come about"),
}


@dataclass(frozen=True)
class NoteDetails:
    """The details of a note in addition to its text. Unknown details are empty. ``inbound``: the customer called."""

    outcome: str = ""
    inbound: bool = False
    minutes: int | None = None
    place: str = ""
    next_step: str = ""


def details_of(kept: Mapping[str, Any]) -> NoteDetails | None:
    """Return the recorded details of a note, or None if there are none."""
    if not kept:
        return None
    return NoteDetails(
        outcome=_outcome(kept),
        inbound=bool(kept.get("inbound")),
        minutes=kept.get("minutes"),
        place=kept.get("place") or "",
        next_step=kept.get("next_step") or "",
    )


def _outcome(details: Mapping[str, Any]) -> str:
    """Return a call's length or outcome, such as "12 minutes", "40 s" or "not answered"; "" if none was recorded."""
    told = str(details.get("outcome") or "")
    if told != CallOutcome.ANSWERED.value:
        return str(_WORDS.get(told, ""))
    seconds = int(details.get("seconds") or 0)
    if seconds < 60:
        return _("%d s") % seconds
    return ngettext("%d minute", "%d minutes", round(seconds / 60)) % round(seconds / 60)
