"""Questions to the second reader and their answers."""

from __future__ import annotations

from django.db import models

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Message


class ReaderAnswer(Row):
    """A question about a message, and its answer. The table is also the outbox: the sweep asks waiting questions."""

    class State(models.TextChoices):
        WAITING = "waiting"
        ASKING = "asking"
        ANSWERED = "answered"
        FAILED = "failed"

    class Outcome(models.TextChoices):
        """The effect of the answer. The tier only changes if the answer promoted or demoted."""

        PROMOTED = "promoted"
        DEMOTED = "demoted"
        AGREED = "agreed"
        OVERRULED = "overruled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="readings")
    #: The alert in question, or the alert that the answer's promotion opened or extended.
    alert = models.ForeignKey("crm_contact_guard.Alert", null=True, on_delete=models.PROTECT, related_name="readings")
    first_tier = models.CharField(max_length=8, help_text="What the first stages said: alert or noticed.")
    by = models.CharField(max_length=8, help_text="Whose attempt they saw.")
    score = models.FloatField(help_text="Theirs, 0…1.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Answers after this time are ignored.
    deadline = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    model = models.CharField(max_length=255, blank=True, default="")
    prompt_version = models.CharField(max_length=16, blank=True, default="")
    request_digest = models.CharField(max_length=64, blank=True, default="", help_text="SHA-256 of the last request.")
    answer_digest = models.CharField(max_length=64, blank=True, default="", help_text="SHA-256 of the answer.")
    attempt = models.BooleanField(null=True)
    attempt_by = models.CharField(max_length=8, blank=True, default="")
    attempt_at = models.ForeignKey(Message, null=True, on_delete=models.PROTECT, related_name="+")
    #: The reader's explanation. It is about people, so it is erased along with the messages that it is based on.
    why = models.TextField(null=True)
    tier = models.CharField(max_length=8, blank=True, default="", help_text="What it came to: alert or noticed.")
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True, default="")
    error = models.CharField(max_length=32, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "by", "first_tier"], name="contact_guard_reading_once")
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=["waiting", "asking"]),
                name="contact_guard_reading_waits",
            ),
            models.Index(fields=["alert", "-created_at"], name="contact_guard_reading_alert"),
        ]
