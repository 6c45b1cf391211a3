"""The classes of the encoder, and the kind and stance of each."""

from __future__ import annotations

from crm_contact_guard.detection.types import Kind, Stance

#: In the order of the network's outputs: identifier; contact request, meeting and deal, each as offered, asked for or
#: accepted; refusal, report, harmless, harassment.
CLASSES = ("i", "qo", "qa", "qc", "mo", "mc", "do", "dc", "rf", "rp", "b", "h")
#: How many classes, counted from the first one, are attempts.
ATTEMPTS = 8
HARASSMENT = CLASSES.index("h")
KINDS = {
    "i": Kind.CONTACT_IDENTIFIER,
    "q": Kind.CONTACT_REQUEST,
    "m": Kind.PRIVATE_MEETING,
    "d": Kind.SIDE_DEAL,
    "h": Kind.HARASSMENT,
}
_STANCES = {"o": Stance.OFFER, "a": Stance.ASK, "c": Stance.ACCEPT, "f": Stance.REFUSE, "p": Stance.REPORT}


def stance_of(name: str) -> Stance:
    """Return the stance of a class."""
    return Stance.OFFER if name == "i" else _STANCES.get(name[1:], Stance.NONE)
