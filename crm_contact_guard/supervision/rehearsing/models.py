"""The table of trials of rules on past messages."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row


class RuleTrial(Row):
    """Rules that are tried on the messages recorded from ``since`` until ``until``."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Given up")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    #: SHA-256 of ``text``.
    digest = models.CharField(max_length=64)
    text = models.TextField(help_text="The rulebook as canonical JSON.")
    since = models.DateTimeField()
    until = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.RUNNING)
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    #: The results as JSON, from the end.
    result = models.TextField(blank=True, default="")
    #: The results so far as JSON, and what is needed to go on. Empty at the end.
    progress = models.TextField(blank=True, default="")
    #: Until when a worker holds the trial. Null: nobody does.
    lease_until = models.DateTimeField(null=True)
    #: How often a worker has begun since the last progress.
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["tenant", "state", "-created_at"], name="contact_guard_rule_trials")]

    def __str__(self) -> str:
        return self.digest[:12]
