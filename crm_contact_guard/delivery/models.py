"""The outbox and the state of carriers. All of this is working state, which could be rebuilt from events."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Message


class Delivery(Row):
    """The outbox, with the messages to be handed to a carrier and the latest state of each outbound message."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting to be sent")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        DELIVERED = "delivered", _("Delivered")
        READ = "read", _("Read")
        FAILED = "failed", _("Not delivered")
        UNCERTAIN = "uncertain", _("Perhaps sent")

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.PROTECT, related_name="delivery")
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Attempts with unknown outcome, for example because the process died. The carrier may or may not have the message.
    unfinished = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True, default="")
    #: The carrier's id of an accepted message; status events and replies refer to it.
    carrier_id = models.CharField(max_length=255, blank=True, default="", db_index=True)
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="contact_guard_outbox_due",
            )
        ]


class Carrier(Row):
    """The state of a channel's carrier: messages sent in the current minute, and since when it has been down."""

    channel = models.CharField(max_length=64, primary_key=True)
    minute = models.DateTimeField()
    taken = models.PositiveIntegerField(default=0)
    #: The carrier asked us not to send anything before this time.
    resume_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    #: Consecutive attempts in which the carrier neither accepted nor rejected the message.
    failures = models.PositiveIntegerField(default=0)


class IdempotencyKey(Row):
    """A client's key for a request to send, so that a repeated request returns the first message."""

    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["employee", "key"], name="contact_guard_idempotency_key_once")]
