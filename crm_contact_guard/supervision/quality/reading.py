"""A person reads a sampled conversation and says whether something was missed. What was missed becomes an alert."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import sees_all, watched_teams
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.policy.presets.rule_names import ATTEMPT_KINDS
from crm_contact_guard.record.models import Direction, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.alerts import TOPICS, NewFinding, Verdict, alert_raise, by_side
from crm_contact_guard.supervision.models import Alert, FindingKind, Side, Stance
from crm_contact_guard.supervision.quality.models import SampledTalk

#: The detector of findings that a person made.
PERSON: Final = "person"
_VERSION: Final = "1"
#: What a reader may find. Whether a message is after hours is no matter of opinion.
KINDS: Final = tuple(kind for kind in TOPICS if kind != FindingKind.AFTER_HOURS)


def sampled(viewer: Employee) -> QuerySet[SampledTalk]:
    """Return the sampled conversations that the viewer may read, never those that the viewer takes part in."""
    rows = SampledTalk.objects.filter(draw__tenant=viewer.tenant)
    if not viewer.active:
        return rows.none()
    wrote = Message.objects.filter(conversation=OuterRef("conversation"), employee=viewer)
    rows = rows.exclude(conversation__employee=viewer).exclude(Exists(wrote))
    return rows if sees_all(viewer) else rows.filter(conversation__team__in=watched_teams(viewer))


def to_read(viewer: Employee) -> QuerySet[SampledTalk]:
    """Return the sampled conversations that the viewer may read and nobody has read, in the order of the draw."""
    rows = sampled(viewer).filter(verdict="")
    return rows.select_related("conversation__customer", "draw").order_by("draw__period", "pk")


def said_in_week(row: SampledTalk) -> QuerySet[Message]:
    """Return the conversation's messages that were drawn, oldest first."""
    draw = row.draw
    return Message.objects.filter(
        conversation=row.conversation_id, recorded_at__gte=draw.starts_at, recorded_at__lt=draw.ends_at
    ).order_by("occurred_at", "pk")


@database.atomic()
def sample_read(
    *, sample_id: UUID, reader: Employee, verdict: str, message_id: UUID | None = None, kind: str = ""
) -> SampledTalk:
    """Record what a reader found. Repeating the call with the same verdict has no effect.

    For something missed, ``message_id`` and ``kind`` say where and what; it is raised as an alert. Raise NotPermitted,
    AlreadyClosed if the conversation was read, or InvalidMessage.
    """
    row = SampledTalk.objects.select_for_update().get(pk=sample_id)
    if reader.role == Role.AUDITOR or not sampled(reader).filter(pk=row.pk).exists():
        raise NotPermitted(_("This conversation isn't yours to review."))
    if verdict not in SampledTalk.Verdict.values:
        raise InvalidMessage(_("Choose whether something was missed."), field="verdict")
    if row.verdict:
        if (row.verdict, row.read_by_id) == (verdict, reader.pk):
            return row
        raise AlreadyClosed(_("Somebody has read this conversation already."))
    if verdict == SampledTalk.Verdict.MISSED:
        row.alert = _raise(row, message_id, kind)
    row.verdict, row.read_by, row.read_at = verdict, reader, timezone.now()
    row.save(force_update=True)
    record_event(
        kind="sample.read",
        subject_type="sampled_talk",
        subject_id=row.pk,
        by=reader,
        tenant=row.draw.tenant,
        row=row,
    )
    return row


def _raise(row: SampledTalk, message_id: UUID | None, kind: str) -> Alert | None:
    said = said_in_week(row).exclude(direction=Direction.NOTE)
    message = said.filter(pk=message_id).first() if message_id is not None else None
    if message is None:
        raise InvalidMessage(_("Choose the message in which it is."), field="message")
    if kind not in KINDS:
        raise InvalidMessage(_("Choose what was missed."), field="kind")
    by = by_side(message.direction)
    asks = Stance.OFFER if by == Side.EMPLOYEE else Stance.ASK
    end = len(message.text or "")
    found = NewFinding(message=message, kind=kind, start=0, end=end, score=1.0, detector=PERSON, version=_VERSION)
    return alert_raise(
        conversation=message.conversation,
        verdict=Verdict(
            topic=TOPICS[kind],
            by=by,
            stance=asks if kind in ATTEMPT_KINDS else Stance.NONE,
            at=message,
            findings=[found],
        ),
    )
