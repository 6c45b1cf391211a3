"""Table for legal holds."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.hosting.rows import Row


class LegalHold(Row):
    """A legal hold on messages, selected by customer, employee, case and period. All given conditions must match."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    name = models.CharField(max_length=200)
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    employee = models.ForeignKey(Employee, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    #: ID of a case in supervision. The hold covers the messages in the case's conversations.
    case = models.CharField(max_length=64, blank=True, default="")
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name

    def covers(self) -> Q:
        """Return a filter for the messages that the hold covers."""
        covered = Q(tenant=self.tenant)
        if self.customer_id is not None:
            # Includes messages recorded under another customer row before the conversation was linked.
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
