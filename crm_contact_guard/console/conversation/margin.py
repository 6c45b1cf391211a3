"""The margin of a message: numbered reasons for what is marked in its text, and remarks on what was only noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from crm_contact_guard.console.conversation.evidence import Span
from crm_contact_guard.console.conversation.reasons import reason, remark
from crm_contact_guard.record.models import Message
from crm_contact_guard.supervision.contents import names as file_names
from crm_contact_guard.supervision.models import Finding
from crm_contact_guard.supervision.pressing.rule import PRESSING
from crm_contact_guard.supervision.showing import shown


@dataclass(frozen=True)
class Reason:
    """One reason in the margin of a message. Its evidence has the same number."""

    number: int
    text: str
    kind: str


#: Detectors that judge a message as a whole, or repeat what another detector says more exactly. Their reasons are shown
#: only where no other finding of the message explains the alert.
_VAGUE: Final = frozenset({"ranker", "semantic", "semantic.harassment", "harassment.wording"})


def marks(message: Message, findings: list[Finding], numbered: int) -> tuple[list[Span], list[Reason]]:
    """Return the marked spans of a message's text and the reasons in its margin, numbered from ``numbered`` + 1.

    Findings with the same reason share a number. Reasons for evidence in a file contain the file's name.
    """
    numbers: dict[str, int] = {}
    spans, reasons = [], []
    for finding, text in _told(message, _exact(findings), reason):
        if text not in numbers:
            numbers[text] = numbered + len(numbers) + 1
            reasons.append(Reason(numbers[text], text, finding.kind))
        if not finding.place:
            spans.append(Span(finding.start, finding.end, numbers[text]))
    return spans, reasons


def _exact(findings: list[Finding]) -> list[Finding]:
    """Leave out findings that tell the reader nothing beyond the others."""
    by_rule = any(finding.detector == PRESSING for finding in findings)
    kept = [
        finding
        for finding in findings
        if (name := finding.detector.removeprefix("thread.")) not in _VAGUE and not (by_rule and name == "presses")
    ]
    return kept or findings


def noticed(message: Message, findings: list[Finding]) -> list[str]:
    """Return why something was noticed. Nothing in the text is marked, since this is a remark, not an accusation."""
    return list(dict.fromkeys(text for _finding, text in _told(message, findings, remark)))


def _told(message: Message, findings: list[Finding], why: Callable[[str, str], str]) -> Iterator[tuple[Finding, str]]:
    names = file_names(message) if any(finding.place for finding in findings) else {}
    for finding in sorted(findings, key=lambda found: (found.place, found.start, found.end)):
        text = why(finding.detector, finding.kind)
        if finding.place:
            text = _("%(file)s: %(reason)s") % {"file": shown(names.get(finding.place, "")), "reason": text}
        yield finding, text
