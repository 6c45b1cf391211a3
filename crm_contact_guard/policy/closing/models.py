"""The automatic answers that were sent, one per conversation and closing period."""

from __future__ import annotations

from django.db import models

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Conversation, Message


class AutoAnswer(Row):
    """An automatic answer. The unique constraint prevents a second one in the same closing period."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, db_index=False, related_name="+")
    #: The closing period: its end, or a week if it has no known end.
    period = models.CharField(max_length=40)
    #: When the period ends; null if that is unknown.
    opens_at = models.DateTimeField(null=True)
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "period"], name="contact_guard_auto_answer_once")
        ]
