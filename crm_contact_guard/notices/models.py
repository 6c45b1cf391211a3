"""Notices to people and to a team's targets, and what each person chose about them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Conversation

#: The ways that every installation has. Any other way is the name of a target in the setting ``NOTIFY``.
IN_APP = "in_app"
EMAIL = "email"


class Notice(Row):
    """A notice about one subject to one recipient by one way. The table is also the outbox.

    A notice in the app is listed on its person's pages. A digest is a notice as well; the notices in the app that it
    reports are its ``items``.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting to be sent")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Not delivered")
        #: The subject was settled before the notice was sent.
        DROPPED = "dropped", _("No longer needed")

    #: The employee's ID, or "target:" and the name of a target.
    recipient = models.CharField(max_length=72, db_default="")
    #: Null for a target.
    employee = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    #: The name of a ``topics.Topic``.
    topic = models.CharField(max_length=32, db_default="")
    subject_type = models.CharField(max_length=32, db_default="")
    subject_id = models.CharField(max_length=64, db_default="")
    conversation = models.ForeignKey(Conversation, null=True, on_delete=models.PROTECT, related_name="+")
    way = models.CharField(max_length=32, db_default=EMAIL)
    digest = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="items")
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Null for notices of versions that didn't store it.
    created_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True, default="")
    sent_at = models.DateTimeField(null=True)
    #: When the person marked a notice in the app as read.
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "topic", "subject_type", "subject_id", "way"], name="contact_guard_notice_subject"
            )
        ]
        indexes = [
            models.Index(fields=["state", "due_at"], name="contact_guard_notice_due"),
            models.Index(fields=["employee", "way", "read_at"], name="contact_guard_notice_unread"),
            models.Index(fields=["subject_type", "subject_id"], name="contact_guard_notice_about"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} by {self.way}"


class Cadence(models.TextChoices):
    """When notices of a topic leave the app. All are listed in the app at once."""

    AT_ONCE = "at_once", _("At once")
    FIRST = "first", _("The first one at once, others once a day")
    THRESHOLD = "threshold", _("When several come together, else once a day")
    HOURLY = "hourly", _("Once an hour")
    DAILY = "daily", _("Once a day")
    WEEKLY = "weekly", _("Once a week")
    IN_APP = "in_app", _("Only on these pages")


class NoticePreference(Row):
    """One person's choice for one topic. Without a row, the topic's default applies."""

    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    topic = models.CharField(max_length=32)
    cadence = models.CharField(max_length=16, choices=Cadence.choices)
    #: ``EMAIL``, or the name of a target that reaches one person.
    way = models.CharField(max_length=32, default=EMAIL)
    #: Whether notices wait until the person's working time.
    quiet = models.BooleanField(default=True)
    #: For ``THRESHOLD``: this many notices within this many minutes are sent at once.
    count = models.PositiveSmallIntegerField(default=4)
    minutes = models.PositiveSmallIntegerField(default=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["employee", "topic"], name="contact_guard_notice_preference")]
