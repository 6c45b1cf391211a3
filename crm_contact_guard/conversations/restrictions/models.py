"""Limits on a customer's contact with employees."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Conversation, Message


class Restriction(Row):
    """One limit on a customer, with an end. Whatever the customer writes is recorded all the same."""

    class Kind(models.TextChoices):
        HIDE_NAME = "hide_name", _("The company's name instead of the employee's")
        RATE = "rate", _("Only some messages a day disturb")
        CHANNEL = "channel", _("One channel only")
        BLOCK = "block", _("Messages don't reach the employee")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="restrictions")
    #: The conversation in which it was imposed, and in which the customer is told of it.
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="restrictions")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    #: For ``RATE``: how many messages a day disturb.
    per_day = models.PositiveSmallIntegerField(null=True)
    #: For ``CHANNEL``: alias of the channel that remains.
    channel = models.CharField(max_length=64, blank=True, default="")
    imposed_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    imposed_at = models.DateTimeField()
    review_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    #: Whether the customer still has to be told.
    notice_due = models.BooleanField(default=False)
    #: The message that told the customer.
    notice = models.ForeignKey(Message, null=True, on_delete=models.PROTECT, db_index=False, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "ends_at"], name="contact_guard_restriction_ends"),
        ]

    def __str__(self) -> str:
        return str(self.id)
