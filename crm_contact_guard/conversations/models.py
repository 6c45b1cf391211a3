"""Tables for processed carrier events and for web chat links."""

from __future__ import annotations

from django.db import models

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Conversation, Message


class CarrierEventId(Row):
    """The ID of a carrier event that was processed. The unique constraint makes receiving idempotent."""

    channel = models.CharField(max_length=64)
    event_id = models.CharField(max_length=255)
    # No index: events are never looked up by message, and messages are never deleted.
    message = models.ForeignKey(Message, null=True, on_delete=models.PROTECT, db_index=False, related_name="+")
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "event_id"], name="contact_guard_carrier_event_once")]


class ChatLink(Row):
    """A customer's link to the web chat. It expires and can be revoked; only the hash of its token is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="chat_links")
    token_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    #: Typing indicators, which are valid for a few seconds (``typing_marks``).
    customer_typing_at = models.DateTimeField(null=True, blank=True)
    employee_typing_at = models.DateTimeField(null=True, blank=True)
