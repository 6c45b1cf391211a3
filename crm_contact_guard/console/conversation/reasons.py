"""Why a finding is shown, in the reader's language and without blame."""

from __future__ import annotations

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm_contact_guard import detection
from crm_contact_guard.supervision.models import FindingKind
from crm_contact_guard.supervision.second_reading.reader_effects import DETECTOR


def reason(detector: str, kind: str) -> str:
    """The detector's own sentence; the kind's name where the detector has none (an older version's, a host's own)."""
    if kind == FindingKind.AFTER_HOURS:
        return _("Sent outside the employee's working hours.")
    if detector == DETECTOR:
        return _("The second reader, a machine, sees an attempt here.")
    language = "ja" if (get_language() or "").startswith("ja") else "en"
    told = detection.reason(detector, language)
    return str(FindingKind(kind).label) if detector in told else told


def remark(detector: str, kind: str) -> str:
    """The same for what was only noticed, where nothing in the text is marked.

    What weighs the wording as a whole would point to a marked sentence: the kind's name says as much.
    """
    if detector.rpartition(".")[2] == "ranker":
        return str(FindingKind(kind).label)
    return reason(detector, kind)
