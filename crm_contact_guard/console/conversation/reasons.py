"""Explanations of findings, in the viewer's language and without blame."""

from __future__ import annotations

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm_contact_guard import detection
from crm_contact_guard.supervision.models import FindingKind
from crm_contact_guard.supervision.second_reading.reader_effects import DETECTOR


def reason(detector: str, kind: str) -> str:
    """Return the explanation for a detector's findings.

    If the detector has none, because it belongs to the host or to an older version, return the name of the kind.
    """
    if kind == FindingKind.AFTER_HOURS:
        return _("Sent outside the employee's working hours.")
    if detector == DETECTOR:
        return _("The second reader, a machine, sees an attempt here.")
    language = "ja" if (get_language() or "").startswith("ja") else "en"
    told = detection.reason(detector, language)
    return str(FindingKind(kind).label) if detector in told else told


def remark(detector: str, kind: str) -> str:
    """Return the explanation for a finding that was only noticed and whose evidence isn't marked in the text.

    For the ranker, which rates the wording as a whole, return the name of the kind, since the ranker's own explanation
    would refer to a marked sentence.
    """
    if detector.rpartition(".")[2] == "ranker":
        return str(FindingKind(kind).label)
    return reason(detector, kind)
