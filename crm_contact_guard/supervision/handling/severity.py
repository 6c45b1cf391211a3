"""How severe an alert is, with the reasons, which are stored with the alert and shown in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.conf import settings
from crm_contact_guard.policy import moments
from crm_contact_guard.supervision.models import FindingKind, Severity, Side, Stance, Topic

if TYPE_CHECKING:
    from crm_contact_guard.supervision.alerts import Verdict

#: From how many messages with evidence on an alert counts as repeated.
OFTEN: Final = 3
#: Below this score of its strongest finding, a customer's request counts as unsure.
UNSURE: Final = 0.5
#: Industries whose law asks that all business talk is kept, so that an employee who leaves the channel is serious.
_RECORD_KEEPING: Final = frozenset({"finance"})

REASONS: Final[dict[str, str | Promise]] = {
    "harassment": _("The customer insults, threatens or makes improper remarks"),
    "unread": _("A message could not be inspected"),
    "file_unread": _("A file could not be read"),
    "gave_contact": _("The employee gave a private contact"),
    "agreed": _("The employee agreed"),
    "leaves": _("Somebody wants to leave the company's channels"),
    "sensitive": _("Sensitive data was written"),
    "after_hours": _("Written outside working hours"),
    "quiet_hours": _("It began a conversation in the customer's quiet hours"),
    "repeated": _("It happened at least three times"),
    "unsure": _("The detector is not very sure"),
    "industry": _("The industry's rules require that all business talk is kept"),
}


def weigh(verdict: Verdict, times: int = 1) -> tuple[int, list[str]]:
    """Return the severity of an alert for the verdict, and the reasons, as keys of ``REASONS``.

    ``times``: in how many messages the alert has evidence. Repetition and the industry's rules raise the severity by
    one; a customer's request of which the detector isn't sure lowers it.
    """
    severity, reason = _first(verdict)
    reasons = [reason]
    if reason in ("leaves", "after_hours") and times >= OFTEN:
        severity, reasons = severity + 1, [*reasons, "repeated"]
    if verdict.topic == Topic.OFF_CHANNEL and verdict.by == Side.EMPLOYEE and settings.INDUSTRY in _RECORD_KEEPING:
        severity, reasons = severity + 1, [*reasons, "industry"]
    strongest = max((finding.score for finding in verdict.findings), default=1.0)
    if reason == "leaves" and verdict.by == Side.CUSTOMER and strongest < UNSURE:
        severity, reasons = severity - 1, [*reasons, "unsure"]
    return min(max(severity, Severity.LOW), Severity.HIGH), reasons


def severity_of(verdict: Verdict) -> int:
    """Return how severe an alert for the verdict alone is."""
    return weigh(verdict)[0]


def _first(verdict: Verdict) -> tuple[int, str]:
    """Return the severity before repetition, industry and score, and its reason."""
    kinds = {finding.kind for finding in verdict.findings}
    gave = verdict.by == Side.EMPLOYEE and verdict.topic == Topic.OFF_CHANNEL
    detectors = {finding.detector for finding in verdict.findings}
    if verdict.topic == Topic.HARASSMENT:
        found = Severity.HIGH, "harassment"
    elif verdict.topic == Topic.SCAN_FAILURE:
        only_a_file = all(finding.place for finding in verdict.findings)
        found = (Severity.LOW, "file_unread") if only_a_file else (Severity.HIGH, "unread")
    elif verdict.topic == Topic.AFTER_HOURS:
        disturbs = moments.Circumstance.QUIET in detectors
        found = (Severity.MEDIUM, "quiet_hours") if disturbs else (Severity.LOW, "after_hours")
    elif gave and FindingKind.CONTACT_IDENTIFIER in kinds:
        found = Severity.HIGH, "gave_contact"
    elif gave and verdict.stance == Stance.ACCEPT:
        found = Severity.HIGH, "agreed"
    else:
        found = Severity.MEDIUM, "sensitive" if verdict.topic == Topic.SENSITIVE_DATA else "leaves"
    return found
