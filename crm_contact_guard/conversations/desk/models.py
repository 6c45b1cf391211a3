"""Tables of the employees' desk: what they have begun to write, and who looks at a conversation."""

from __future__ import annotations

from django.db import models

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Conversation


class Draft(Row):
    """What an employee has begun to write in a conversation. Only the writer sees it. It isn't part of the record."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="+")
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, db_index=False, related_name="+")
    text = models.TextField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["employee", "conversation"], name="contact_guard_draft_once"),
        ]


class Presence(Row):
    """When an employee who may answer last looked at a conversation, and last typed in it. Valid for seconds."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, db_index=False, related_name="+")
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    seen_at = models.DateTimeField()
    typing_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "employee"], name="contact_guard_presence_once"),
        ]
