"""Opening cases, joining them, and adding evidence."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Customer, Employee, Team
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.privacy.holds import hold_place, hold_release
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision import rights as alert_rights
from crm_contact_guard.supervision.cases import acts, transitions
from crm_contact_guard.supervision.cases.models import (
    Case,
    CaseEvidence,
    CaseParticipant,
    Part,
    Sort,
    State,
)
from crm_contact_guard.supervision.cases.outcomes import DISCIPLINE
from crm_contact_guard.supervision.cases.rights import may_open
from crm_contact_guard.supervision.cases.steps import move, record, take, written
from crm_contact_guard.supervision.handling.moving import locked
from crm_contact_guard.supervision.models import Alert, Side

#: States in which a case still takes in evidence.
COLLECTING = (State.OPEN, State.INVESTIGATING, State.HEARING)
#: Maximum number of alerts and conversations in a case.
MOST_EVIDENCE = 200


@database.atomic()
def case_open(
    *,
    actor: Employee,
    sort: str,
    concerned: Employee | None = None,
    customer: Customer | None = None,
    team: Team | None = None,
    acted_at: datetime | None = None,
    consultation: str = "",
) -> Case:
    """Open a case, which the actor leads. ``acted_at``: when it happened, if no alert shows it.

    Raise NotPermitted, and InvalidMessage if the case names nobody or the time is in the future.
    """
    if team is None and concerned is not None:
        team = concerned.teams.first()
    if not may_open(actor, concerned, team) or (customer is not None and customer.tenant != actor.tenant):
        raise NotPermitted(_("Compliance officers and the team's supervisor open cases, if not concerned themselves."))
    if sort not in Sort.values:
        raise InvalidMessage(_("Choose a kind of case: conduct or protection."), field="sort")
    if concerned is None and (customer is None or sort == Sort.CONDUCT):
        raise InvalidMessage(_("Say whom the case is about."), field="concerned")
    if acted_at is not None and acted_at > timezone.now():
        raise InvalidMessage(_("The time is in the future."), field="acted_at")
    return _opened(actor, sort, concerned, customer, team, acted_at=acted_at, consultation=consultation[:64])


@database.atomic()
def case_from_alert(*, alert_id: UUID, opened_by: Employee) -> Case:
    """Add an alert to the running case that it belongs to, or open one. Repeating the call has no effect.

    Alerts about what the employee did belong to a conduct case, those about the customer to a protection case. Only
    cases in which the reviewer works are joined. Raise NotPermitted, and InvalidMessage if the alert has led to
    discipline before.
    """
    alert = locked(alert_id)
    if not alert_rights.may_review(opened_by, alert):
        raise NotPermitted(_("You can't work on this alert."))
    already = _case_of(alert)
    if already is not None:
        return already
    sort = Sort.CONDUCT if alert.by == Side.EMPLOYEE else Sort.PROTECTION
    customer = alert.conversation.customer if sort == Sort.PROTECTION else None
    # One at a time for each employee, so that two alerts closed at once don't open two cases.
    acts.lock(alert.concerned_id)
    running = Case.objects.filter(
        tenant=alert.tenant, sort=sort, concerned=alert.concerned_id, customer=customer, state__in=COLLECTING
    ).filter(participants__employee=opened_by, participants__part__in=(Part.LEAD, Part.MEMBER))
    case = running.order_by("opened_at").first()
    if case is None:
        case = _opened(opened_by, sort, alert.concerned, customer, alert.team)
    _evidence(case, opened_by, alert.conversation, alert)
    return case


@database.atomic()
def evidence_add(*, case_id: UUID, actor: Employee, alert: Alert | None = None, conversation: Conversation) -> None:
    """Add an alert, or a conversation as a whole. Repeating the call has no effect.

    Raise NotPermitted, NotPossible, and InvalidMessage if the alert belongs to another case or to the other side.
    """
    if alert is not None:
        alert = locked(alert.pk)
    case, _row = take(case_id, actor, "evidence_add")
    if conversation.tenant != case.tenant or (alert is not None and alert.conversation_id != conversation.pk):
        raise NotPermitted(_("You can't add this to the case."))
    if alert is not None:
        if not alert_rights.may_review(actor, alert):
            raise NotPermitted(_("You can't work on this alert."))
        if (alert.by == Side.EMPLOYEE) is not (case.sort == Sort.CONDUCT):
            raise InvalidMessage(
                _("A conduct case takes alerts about the employee, a protection case alerts about the customer."),
                field="alert",
            )
        if alert.concerned_id != case.concerned_id:
            raise InvalidMessage(_("This alert is about somebody else."), field="alert")
        already = _case_of(alert)
        if already is not None and already.pk != case.pk:
            raise InvalidMessage(_("This alert belongs to another case."), field="alert")
    if case.evidence.filter(alert=alert, conversation=conversation).exists():
        return
    if case.evidence.count() >= MOST_EVIDENCE:
        raise InvalidMessage(_("A case takes at most %(most)d pieces.") % {"most": MOST_EVIDENCE}, field="alert")
    _evidence(case, actor, conversation, alert)


@database.atomic()
def case_join(*, case_id: UUID, actor: Employee, reason: str) -> None:
    """Let a compliance officer take part, with a reason that all participants can read. Lead it if nobody does.

    Raise NotPermitted, NotPossible, and InvalidMessage without a reason.
    """
    case, row = take(case_id, actor, "join")
    why = written(reason, "reason", most=1000)
    led = case.participants.filter(part=Part.LEAD, employee__active=True).exists()
    participate(case, actor, Part.MEMBER if led else Part.LEAD, added_by=actor)
    move(case, row, actor, why=why)


def participate(case: Case, person: Employee, part: str, *, added_by: Employee | None) -> None:
    """Insert a participant. The caller has asked for permission."""
    made = CaseParticipant.objects.create(
        case=case, employee=person, part=part, added_by=added_by, added_at=timezone.now()
    )
    record(case, added_by, "case_participant.added", made)


def release_evidence(case: Case) -> None:
    """End the legal hold on the evidence of a case that has been closed."""
    for hold in LegalHold.objects.filter(case=str(case.pk), released_at=None, name=_hold_name(case)):
        hold_release(hold=hold, reason="The case is closed.", released_by=None)


def _opened(
    actor: Employee,
    sort: str,
    concerned: Employee | None,
    customer: Customer | None,
    team: Team | None,
    *,
    acted_at: datetime | None = None,
    consultation: str = "",
) -> Case:
    now = timezone.now()
    case = Case.objects.create(
        tenant=actor.tenant,
        sort=sort,
        concerned=concerned,
        customer=customer,
        team=team,
        consultation=consultation,
        acted_at=acted_at,
        opened_by=actor,
        opened_at=now,
        updated_at=now,
        # A protection case is the employee's own; a conduct case is shown when the employee is told.
        told_at=now if sort == Sort.PROTECTION and concerned is not None else None,
    )
    record(case, actor, "case.opened", case)
    participate(case, actor, Part.LEAD, added_by=actor)
    # The messages can't be erased while the case runs.
    hold_place(
        name=_hold_name(case),
        reason="The messages in the case's conversations are evidence.",
        placed_by=None,
        tenant=case.tenant,
        case=str(case.pk),
    )
    return case


def _hold_name(case: Case) -> str:
    return f"Case {case.pk}"


def _evidence(case: Case, actor: Employee, conversation: Conversation, alert: Alert | None) -> None:
    made = CaseEvidence.objects.create(
        case=case, alert=alert, conversation=conversation, added_by=actor, added_at=timezone.now()
    )
    record(case, actor, "case_evidence.added", made)
    # This event ties the conversation to the case, for the legal hold.
    row = next(transitions.rows("evidence_add", Part.LEAD))
    move(case, row, actor, conversation=conversation)


def _case_of(alert: Alert) -> Case | None:
    """Return the case that an alert belongs to; None if there is none, or it has ended without discipline.

    Raise InvalidMessage if the alert has led to discipline.
    """
    for evidence in CaseEvidence.objects.filter(alert=alert).select_related("case"):
        if evidence.case.state != State.CLOSED:
            return evidence.case
        if evidence.case.outcome in DISCIPLINE:
            raise InvalidMessage(_("A case about this alert has been decided. Nothing may be punished twice."))
    return None
