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
        # Nothing was handed to a carrier (``record.reached``). ``Wait`` says why.
        WAITING = "waiting", _("Not sent yet")
        HELD = "held", _("Waiting for the supervisor")
        RECALLED = "recalled", _("Taken back, not sent")
        RETURNED = "returned", _("Returned, not sent")
        REJECTED = "rejected", _("Rejected, not sent")
        EXPIRED = "expired", _("Expired, not sent")

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


class Wait(Row):
    """A message that didn't go out at once. Its delivery is in the same state until it is released to the outbox."""

    class Reason(models.TextChoices):
        UNDO = "undo", _("Can still be taken back")
        SCHEDULE = "schedule", _("Goes out later")
        HOLD = "hold", _("A supervisor decides")

    class State(models.TextChoices):
        WAITING = "waiting", _("Not sent yet")
        HELD = "held", _("Waiting for the supervisor")
        RELEASED = "released", _("Released")
        RECALLED = "recalled", _("Taken back, not sent")
        RETURNED = "returned", _("Returned, not sent")
        REJECTED = "rejected", _("Rejected, not sent")
        EXPIRED = "expired", _("Expired, not sent")

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.PROTECT, related_name="wait")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    state = models.CharField(max_length=16, choices=State.choices)
    #: When it goes out or, while it is held, when the time for a decision ends.
    due_at = models.DateTimeField(null=True)
    #: The time that the writer chose.
    wanted_at = models.DateTimeField(null=True)
    #: Reasons of the decision before sending that the writer answered with an override, as a JSON array.
    answered = models.JSONField(default=list)
    #: The recalled message that this one was written instead of.
    replaces = models.ForeignKey(Message, null=True, on_delete=models.PROTECT, db_index=False, related_name="+")
    #: The supervisor who approved, returned or rejected it.
    decided_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, db_index=False, related_name="+")
    reminded_at = models.DateTimeField(null=True)
    #: When it was released, or when it became certain that it won't go.
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=["waiting", "held"]),
                name="contact_guard_wait_due",
            ),
            models.Index(
                fields=["ended_at"],
                condition=models.Q(state__in=["returned", "rejected", "expired"]),
                name="contact_guard_wait_ended",
            ),
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
