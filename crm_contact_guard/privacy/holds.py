"""Legal holds. While a hold is active, the messages it covers are not erased, neither by retention nor on request."""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.directory.rights import may_answer_subjects
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.record.models import Message
from crm_contact_guard.record.recording import record_event


@database.atomic()
def hold_place(
    *,
    name: str,
    reason: str,
    placed_by: Employee | None,
    tenant: str = "",
    customer: Customer | None = None,
    employee: Employee | None = None,
    case: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> LegalHold:
    """Place a hold, and record who placed it and why. ``placed_by`` is None if the operator placed it.

    Raise NotPermitted if the employee may not place holds, and InvalidMessage if the hold has no scope.
    """
    _refuse(placed_by, tenant)
    if not (customer or employee or case or since or until):
        raise InvalidMessage(_("Say what the hold covers: a customer, an employee, a case or a period."), field="hold")
    hold = LegalHold.objects.create(
        tenant=tenant,
        name=name[:200],
        customer=customer,
        employee=employee,
        case=case,
        since=since,
        until=until,
        created_at=timezone.now(),
    )
    _event(hold, "hold.placed", placed_by, reason)
    return hold


@database.atomic()
def hold_release(*, hold: LegalHold, reason: str, released_by: Employee | None) -> None:
    """Release a hold. Releasing it again has no effect. Raise NotPermitted if the employee may not release holds."""
    _refuse(released_by, hold.tenant)
    now = timezone.now()
    if LegalHold.objects.filter(pk=hold.pk, released_at=None).update(released_at=now):
        hold.released_at = now
        _event(hold, "hold.released", released_by, reason)


def not_held(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Return those of ``messages`` that no active hold covers."""
    active = [hold.covers() for hold in LegalHold.objects.filter(released_at=None)]
    if not active:
        return messages
    return messages.exclude(pk__in=Message.objects.filter(reduce(or_, active)).values("pk"))


def covered(hold: LegalHold) -> dict[str, str | None]:
    """Return the scope of a hold in the form stored in its events."""
    return {
        "customer": str(hold.customer_id) if hold.customer_id else None,
        "employee": str(hold.employee_id) if hold.employee_id else None,
        "case": hold.case or None,
        "since": hold.since.isoformat() if hold.since else None,
        "until": hold.until.isoformat() if hold.until else None,
    }


def _refuse(actor: Employee | None, tenant: str) -> None:
    if actor is not None and not may_answer_subjects(actor, tenant):
        raise NotPermitted(_("Compliance officers place and release legal holds."))


def _event(hold: LegalHold, kind: str, actor: Employee | None, reason: str) -> None:
    record_event(
        kind=kind,
        subject_type="hold",
        subject_id=hold.pk,
        by=actor,
        tenant=hold.tenant,
        data=covered(hold),
        reason=f"{hold.name}: {reason}",
        row=hold,
    )
