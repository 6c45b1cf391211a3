"""Which limits on a customer apply now, and what follows from them.

Nothing about a message is changed. Pages and the inbox ask here, so that everything returns once a limit ends.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.record.models import Conversation, Direction, Message

Kind = Restriction.Kind


def in_force(now: datetime | None = None) -> QuerySet[Restriction]:
    """Return the restrictions that apply now."""
    return Restriction.objects.filter(lifted_at=None, ends_at__gt=now or timezone.now())


def of_customer(customer: Customer) -> list[Restriction]:
    """Return the customer's restrictions that apply now, also those imposed before the customer was identified."""
    own = Q(customer=customer) | Q(customer__merged_into=customer)
    return list(in_force().filter(own).order_by("imposed_at", "pk"))


def writing_as(employee: Employee, customer: Customer, channel: str) -> str:
    """Return the name under which the employee writes to the customer. One query.

    Raise InvalidMessage if the customer's contact is limited to another channel.
    """
    rows = of_customer(customer)
    if any(row.kind == Kind.CHANNEL and row.channel != channel for row in rows):
        raise InvalidMessage(_("Contact with this customer is limited to another channel."), field="channel")
    return settings.company_name if any(row.kind == Kind.HIDE_NAME for row in rows) else employee.name


def name_shown(employee: Employee, customer: Customer) -> str:
    """Return the name under which the employee writes to the customer: the company's name if theirs is hidden."""
    return settings.company_name if hides_name(customer) else employee.name


def hides_name(customer: Customer) -> bool:
    """Whether the company's name stands in place of the employees' names for this customer."""
    own = Q(customer=customer) | Q(customer__merged_into=customer)
    return in_force().filter(own, kind=Kind.HIDE_NAME).exists()


def blocked_since(customer: Customer) -> datetime | None:
    """Return since when the customer's messages don't reach the employee; None if they do."""
    return next((row.imposed_at for row in of_customer(customer) if row.kind == Kind.BLOCK), None)


def only_channel(customer: Customer) -> str:
    """Return the alias of the one channel that the customer may use; "" if there is no such limit."""
    return next((row.channel for row in of_customer(customer) if row.kind == Kind.CHANNEL), "")


def undisturbed(rows: QuerySet[Conversation], tenant: str) -> QuerySet[Conversation]:
    """Return those of the conversations that the inbox shows: without those kept back by a restriction."""
    limits = in_force().filter(tenant=tenant).exclude(kind=Kind.HIDE_NAME)
    kept = [
        (kind, per_day, channel, {one for one in (key, merged) if one is not None})
        for kind, per_day, channel, key, merged in limits.values_list(
            "kind", "per_day", "channel", "customer_id", "customer__merged_into_id"
        )
    ]
    for kind, per_day, channel, customers in kept:
        if kind == Kind.BLOCK or (kind == Kind.RATE and _received_today(customers) > (per_day or 0)):
            rows = rows.exclude(customer__in=customers)
        elif kind == Kind.CHANNEL:
            rows = rows.exclude(Q(customer__in=customers) & ~Q(channel=channel))
    return rows


def _received_today(customers: set[UUID]) -> int:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Message.objects.filter(
        conversation__customer__in=customers, direction=Direction.INBOUND, recorded_at__gte=today
    )
    return int(rows.aggregate(count=Count("pk"))["count"])
