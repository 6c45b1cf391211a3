"""Legal holds: while one stands, nothing that it covers is erased, whatever retention or a request says."""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import or_

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import database
from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.ledger.models import Event, Message
from crm_contact_guard.ledger.record import record_event
from crm_contact_guard.rows import Row


class LegalHold(Row):
    """What must be kept: messages of a customer, of an employee, of a period, or of all that is given together."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    name = models.CharField(max_length=200)
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    employee = models.ForeignKey(Employee, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    #: Id of a case in supervision; its messages are found by the case's conversations.
    case = models.CharField(max_length=64, blank=True, default="")
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name

    def covers(self) -> Q:
        """Which messages the hold covers."""
        covered = Q(tenant=self.tenant)
        if self.customer_id is not None:
            # Also what was recorded while the customer was a stranger, or another row of the host.
            covered &= Q(customer_id=self.customer_id) | Q(conversation__customer_id=self.customer_id)
        if self.employee_id is not None:
            covered &= Q(employee_id=self.employee_id)
        if self.case:
            covered &= Q(conversation__events__subject_type="case", conversation__events__subject_id=self.case)
        if self.since is not None:
            covered &= Q(occurred_at__gte=self.since)
        if self.until is not None:
            covered &= Q(occurred_at__lte=self.until)
        return covered


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
    """Place a hold, and record who did and why. Raises InvalidMessage when it would cover nothing in particular."""
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
    """End a hold. Repeating it is harmless."""
    if LegalHold.objects.filter(pk=hold.pk, released_at=None).update(released_at=timezone.now()):
        _event(hold, "hold.released", released_by, reason)


def not_held(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Those of ``messages`` that no standing hold covers."""
    standing = [hold.covers() for hold in LegalHold.objects.filter(released_at=None)]
    if not standing:
        return messages
    return messages.exclude(pk__in=Message.objects.filter(reduce(or_, standing)).values("pk"))


def covered(hold: LegalHold) -> dict[str, str | None]:
    """What a hold covers, as its events have it."""
    return {
        "customer": str(hold.customer_id) if hold.customer_id else None,
        "employee": str(hold.employee_id) if hold.employee_id else None,
        "case": hold.case or None,
        "since": hold.since.isoformat() if hold.since else None,
        "until": hold.until.isoformat() if hold.until else None,
    }


def _event(hold: LegalHold, kind: str, actor: Employee | None, reason: str) -> None:
    record_event(
        kind=kind,
        subject_type="hold",
        subject_id=hold.pk,
        actor_type=Event.ActorType.EMPLOYEE if actor else Event.ActorType.SYSTEM,
        actor=actor.pk if actor else "",
        tenant=hold.tenant,
        data=covered(hold),
        reason=f"{hold.name}: {reason}",
    )
