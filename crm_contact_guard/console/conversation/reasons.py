"""Explanations of findings, in the viewer's language and without blame."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from crm_contact_guard import detection
from crm_contact_guard.policy.moments import Circumstance
from crm_contact_guard.supervision.models import FindingKind
from crm_contact_guard.supervision.pressing.rule import PRESSING
from crm_contact_guard.supervision.second_reading.reader_effects import DETECTOR

_AFTER_HOURS: Final[dict[str, Any]] = {
    Circumstance.OWN: gettext_lazy("Sent outside the employee's working hours."),
    Circumstance.ANSWER: gettext_lazy("Sent outside the employee's working hours; the customer had written first."),
    Circumstance.QUICK: gettext_lazy("Sent outside the employee's working hours, soon after the customer wrote."),
    Circumstance.QUIET: gettext_lazy(
        "Sent outside the employee's working hours, and in the customer's quiet hours, before the customer wrote."
    ),
}


def reason(detector: str, kind: str) -> str:
    """Return the explanation for a detector's findings.

    If the detector has none, because it belongs to the host or to an older version, return the name of the kind.
    """
    if kind == FindingKind.AFTER_HOURS:
        return str(_AFTER_HOURS.get(detector, _AFTER_HOURS[Circumstance.OWN]))
    if detector == PRESSING:
        return _("The customer asks again although the employee has declined.")
    if detector == DETECTOR:
        return _("The second reader, a machine, sees an attempt here.")
    language = "ja" if (get_language() or "").startswith("ja") else "en"
    told = detection.reason(detector, language)
    unknown = told in (f"Detector {detector}", f"検出器 {detector}")
    return str(FindingKind(kind).label) if unknown else told


def remark(detector: str, kind: str) -> str:
    """Return the explanation for a finding that was only noticed and whose evidence isn't marked in the text.

    For the ranker, which rates the wording as a whole, return the name of the kind, since the ranker's own explanation
    would refer to a marked sentence.
    """
    if detector.rpartition(".")[2] == "ranker":
        return str(FindingKind(kind).label)
    return reason(detector, kind)
