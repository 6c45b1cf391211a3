"""The table of export jobs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exports.profiles import Profile
from crm_contact_guard.hosting.rows import Row


class ExportJob(Row):
    """A bundle that somebody asked for: what is in it, who approved it, how far it is, and where it is stored."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for approval")
        QUEUED = "queued", _("Waits for its turn")
        RUNNING = "running", _("Being written")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        REFUSED = "refused", _("Refused")
        EXPIRED = "expired", _("Deleted")

    #: States in which the job may still become ready.
    OPEN: ClassVar = (State.WAITING, State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    requested_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    purpose = models.TextField()
    filters = models.TextField(help_text="Canonical JSON: exports.bundle_rows.Filters as text.")
    formats = models.CharField(max_length=100, blank=True, default="", help_text="Names, separated by commas.")
    profile = models.CharField(max_length=16, choices=Profile.choices)
    attachments = models.BooleanField(default=True)
    state = models.CharField(max_length=16, choices=State.choices)
    decided_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="When the finished bundle is deleted.")
    stored_as = models.CharField(max_length=255, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    bytes = models.BigIntegerField(null=True)
    messages = models.BigIntegerField(null=True)
    events = models.BigIntegerField(null=True)
    #: Messages to the person: why the job failed, or what could not be included.
    remark = models.TextField(blank=True, default="")
    # The worker's own notes, which change without an event.
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    work = models.TextField(blank=True, default="", help_text="JSON: the extent of the bundle and its stored parts.")
    done = models.BigIntegerField(default=0, help_text="Rows.")
    total = models.BigIntegerField(default=0, help_text="Rows.")
    #: Whether everything that the job stored and no longer needs has been deleted.
    cleared = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-requested_at"], name="contact_guard_export_listed"),
            models.Index(fields=["state", "lease_until"], name="contact_guard_export_due"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class ExportSchedule(Row):
    """An export that somebody has repeated: each run is an ``ExportJob`` of theirs about the last whole period."""

    class Period(models.TextChoices):
        WEEKLY = "weekly", _("Each week, about the week before")
        MONTHLY = "monthly", _("Each month, about the month before")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    made_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    period = models.CharField(max_length=8, choices=Period.choices)
    purpose = models.TextField()
    filters = models.TextField(help_text="As in ExportJob, without times.")
    formats = models.CharField(max_length=100, blank=True, default="", help_text="Names, separated by commas.")
    profile = models.CharField(max_length=16, choices=Profile.choices)
    attachments = models.BooleanField(default=True)
    #: When the next run is due: the end of the period that it is about.
    next_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    #: Why it ended, if nobody ended it.
    remark = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["ended_at", "next_at"], name="contact_guard_export_repeats")]

    def __str__(self) -> str:
        return str(self.id)
