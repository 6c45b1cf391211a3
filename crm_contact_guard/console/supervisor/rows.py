"""What a row of the queue tells without opening the alert: one line of its evidence, with contacts masked."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.console.conversation.evidence import Piece, Span, pieces
from crm_contact_guard.console.supervisor.filtering import IS_WAITING
from crm_contact_guard.console.supervisor.versions import micros
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.supervision.handling.alike import words_of
from crm_contact_guard.supervision.models import Alert, Finding, FindingKind
from crm_contact_guard.supervision.showing import shown, stored_findings
from crm_contact_guard.supervision.watching.pseudonyms import veil
from crm_contact_guard.viewing.conversations import listed

#: Number of characters shown before the evidence, and in all.
BEFORE = 24
LENGTH = 110
DOT = "•"


@dataclass(frozen=True)
class Row:
    """An alert in the queue. ``line``: a part of the message that completed the evidence, split at the evidence."""

    alert: Alert
    line: Sequence[Piece]
    #: What alerts with the same words share (``supervision.handling.alike``); None if there are none to compare.
    words: Hashable = None
    #: Further listed alerts with the same words, which this row stands for.
    alike: Sequence[Row] = ()

    @property
    def version(self) -> str:
        """A version of the row that changes whenever one of its alerts does."""
        return "-".join(str(micros(row.alert.updated_at)) for row in (self, *self.alike))

    @property
    def chosen(self) -> str:
        """The alerts that are selected with the row, each with its version, for ``bulk``."""
        return ",".join(f"{row.alert.pk}:{micros(row.alert.updated_at)}" for row in (self, *self.alike))

    @property
    def overdue(self) -> bool:
        return self._left is not None and self._left <= timedelta(0)

    @property
    def due_in(self) -> str:
        """How long until the alert is due, rounded down to minutes, hours or days; "" without a deadline."""
        if self._left is None:
            return ""
        minutes = int(self._left.total_seconds() // 60)
        if minutes < 60:
            return _("due in %(count)d min") % {"count": minutes}
        if minutes < 24 * 60:
            return _("due in %(count)d h") % {"count": minutes // 60}
        return _("due in %(count)d d") % {"count": minutes // (24 * 60)}

    @property
    def _left(self) -> timedelta | None:
        due_at = self.alert.due_at
        return due_at - timezone.now() if due_at is not None and self.alert.status in IS_WAITING else None


def rows_of(viewer: Employee, alerts: Sequence[Alert]) -> list[Row]:
    """Return the rows for alerts. That the viewer sees parts of messages is recorded.

    If names are hidden from the viewer, they are replaced in ``alerts``.
    """
    keys = [alert.pk for alert in alerts]
    evidence: dict[UUID, list[Finding]] = {}
    found = Finding.objects.filter(alert__in=keys, message=F("alert__at_message"), place="").order_by("start", "end")
    for finding in found:
        if finding.alert_id is not None:
            evidence.setdefault(finding.alert_id, []).append(finding)
    sensitive = stored_findings([alert.at_message_id for alert in alerts])
    listed(viewer, [alert.conversation for alert in alerts], "alerts")
    veils = veil(viewer, alerts)

    def text_of(alert: Alert) -> str:
        text = shown(alert.at_message.text, sensitive.get(alert.at_message_id, ()))
        return veils[alert.pk].text(text) if alert.pk in veils else text

    words = words_of(alerts)
    return [
        Row(alert, _line(text_of(alert), evidence.get(alert.pk)), words.get(alert.pk))
        if alert.at_message.text is not None
        else Row(alert, [Piece(_("The text was erased."))])
        for alert in alerts
    ]


def folded(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with those folded that have the same words and topic as an earlier one, and are in its state."""
    groups: dict[Hashable, list[Row]] = {}
    for row in rows:
        same = (row.words, row.alert.topic, row.alert.status, row.alert.claimed_by_id)
        folds = row.words is not None and row.alert.status != Alert.Status.CLOSED
        groups.setdefault(same if folds else row.alert.pk, []).append(row)
    return [replace(first, alike=rest) for first, *rest in groups.values()]


def _line(text: str, findings: Sequence[Finding] | None) -> list[Piece]:
    spans = []
    for finding in findings or ():
        start, end = min(finding.start, len(text)), min(finding.end, len(text))
        if finding.kind == FindingKind.CONTACT_IDENTIFIER:
            text = text[:start] + _masked(text[start:end]) + text[end:]
        spans.append(Span(start, end, 1))
    first = max((spans[0].start if spans else 0) - BEFORE, 0)
    cut = text[first : first + LENGTH]
    # Line breaks become spaces of the same length, so that the spans stay valid.
    told = pieces("".join(" " if one.isspace() else one for one in cut), [_moved(span, first) for span in spans])
    if first:
        told.insert(0, Piece("… "))
    if first + LENGTH < len(text):
        told.append(Piece(" …"))
    return told


def _moved(span: Span, by: int) -> Span:
    return Span(span.start - by, span.end - by, span.number)


def _masked(text: str) -> str:
    return text[:1] + "".join(DOT if one.isalnum() else one for one in text[1:])
