"""Limit a customer's contact, end a limit, and hand a conversation to somebody else. Each needs a reason.

Supervisors do this on a conversation's page, from a consultation (``supervision.consulting.measures``) or in a case.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.conversations.lifecycle import reassigned
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.directory.models import Employee, Role, Team
from crm_contact_guard.directory.rights import watched_teams
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.record.recording import record_event

MAX_REASON = 500
#: A restriction ends within this time, and may be imposed again.
LONGEST = timedelta(days=366)
MOST_PER_DAY = 100


def may_restrict(viewer: Employee, conversation: Conversation) -> bool:
    """Whether the viewer may limit the customer's contact or hand the conversation over.

    The supervisor and deputy of the conversation's team may, and compliance officers.
    """
    if not viewer.active or viewer.role == Role.AUDITOR or viewer.tenant != conversation.tenant:
        return False
    if viewer.role == Role.COMPLIANCE:
        return True
    return conversation.team_id is not None and watched_teams(viewer).filter(pk=conversation.team_id).exists()


@database.atomic()
def restriction_impose(
    *,
    conversation: Conversation,
    imposed_by: Employee,
    kind: str,
    reason: str,
    ends_at: datetime,
    review_at: datetime | None = None,
    per_day: int | None = None,
    channel: str = "",
) -> Restriction:
    """Limit the contact of the conversation's customer until ``ends_at``, in all of the customer's conversations.

    The customer is told once, except of a hidden name. ``review_at`` defaults to half of the time. A standing
    restriction of the same kind is lifted. Raise NotPermitted or InvalidMessage.
    """
    conversation = Conversation.objects.select_for_update().get(pk=conversation.pk)
    _refuse(imposed_by, conversation)
    now = timezone.now()
    review_at = review_at or now + (ends_at - now) / 2
    _check_time(now, ends_at, review_at)
    _check_kind(kind, per_day, channel)
    reason = checked_reason(reason)
    same = Restriction.objects.filter(customer_id=conversation.customer_id, kind=kind, lifted_at=None)
    for row in same.select_for_update().filter(ends_at__gt=now):
        _lift(row, imposed_by, "")
    row = Restriction.objects.create(
        tenant=conversation.tenant,
        customer_id=conversation.customer_id,
        conversation=conversation,
        kind=kind,
        per_day=per_day if kind == Restriction.Kind.RATE else None,
        channel=channel if kind == Restriction.Kind.CHANNEL else "",
        imposed_by=imposed_by,
        imposed_at=now,
        review_at=review_at,
        ends_at=ends_at,
        notice_due=kind != Restriction.Kind.HIDE_NAME,
    )
    record_restriction(row, "restriction.imposed", imposed_by, reason)
    if row.notice_due:
        later("restriction_tell", str(row.pk))
    return row


@database.atomic()
def restriction_lift(*, restriction_id: UUID, lifted_by: Employee, reason: str) -> Restriction:
    """End a restriction before its time. Repeating the call has no effect. Raise NotPermitted or InvalidMessage."""
    row = Restriction.objects.select_for_update().get(pk=restriction_id)
    _refuse(lifted_by, row.conversation)
    reason = checked_reason(reason)
    if row.lifted_at is None:
        _lift(row, lifted_by, reason)
    return row


@database.atomic()
def conversation_reassign(
    *,
    conversation: Conversation,
    reassigned_by: Employee,
    reason: str,
    employee: Employee | None = None,
    team: Team | None = None,
) -> Conversation:
    """Hand the conversation to another employee, or to a team whose members share it.

    The customer's owner in the host CRM stays; the event names them. Raise NotPermitted or InvalidMessage.
    """
    conversation = Conversation.objects.select_for_update().get(pk=conversation.pk)
    _refuse(reassigned_by, conversation)
    reason = checked_reason(reason)
    if (employee is None) == (team is None):
        raise InvalidMessage(_("Choose a colleague or a team."), field="to")
    if employee is not None:
        fits = employee.active and employee.tenant == conversation.tenant and employee.role != Role.AUDITOR
        team = employee.teams.first() or conversation.team
    else:
        fits = team is not None and team.tenant == conversation.tenant
    if not fits or (employee is not None and employee.pk == conversation.employee_id):
        raise InvalidMessage(_("Choose a colleague or a team."), field="to")
    return reassigned(conversation, reassigned_by, employee=employee, team=team, reason=reason)


def checked_reason(reason: str) -> str:
    """Return the reason as it is recorded. Raise InvalidMessage if it is missing or too long."""
    reason = canonical_text(reason).strip()
    if not reason:
        raise InvalidMessage(_("Give a reason."), field="reason")
    if len(reason) > MAX_REASON:
        raise InvalidMessage(_("This may have at most %(most)d characters.") % {"most": MAX_REASON}, field="reason")
    return reason


def record_restriction(row: Restriction, kind: str, by: Employee | None, reason: str = "") -> None:
    """Record a change of a restriction, in the transaction of the change."""
    record_event(
        kind=kind,
        subject_type="restriction",
        subject_id=row.pk,
        by=by,
        conversation=row.conversation,
        reason=reason or None,
        row=row,
    )


def _check_time(now: datetime, ends_at: datetime, review_at: datetime) -> None:
    if not now < ends_at <= now + LONGEST:
        raise InvalidMessage(_("Choose an end within a year from now."), field="ends_at")
    if not now < review_at <= ends_at:
        raise InvalidMessage(_("The date of the review lies before the end."), field="review_at")


def _check_kind(kind: str, per_day: int | None, channel: str) -> None:
    if kind not in Restriction.Kind.values:
        raise InvalidMessage(_("Choose a limit."), field="kind")
    if kind == Restriction.Kind.RATE and not (per_day is not None and 0 < per_day <= MOST_PER_DAY):
        raise InvalidMessage(_("Choose 1 to %(most)d messages a day.") % {"most": MOST_PER_DAY}, field="per_day")
    if kind == Restriction.Kind.CHANNEL and channel not in settings.CHANNELS:
        raise InvalidMessage(_("Choose a channel."), field="channel")


def _lift(row: Restriction, actor: Employee, reason: str) -> None:
    row.lifted_at, row.notice_due = timezone.now(), False
    row.save(update_fields=["lifted_at", "notice_due"])
    record_restriction(row, "restriction.lifted", actor, reason)


def _refuse(actor: Employee, conversation: Conversation) -> None:
    if not may_restrict(actor, conversation):
        raise NotPermitted(_("The team's supervisor and compliance officers decide this."))
