"""Unusual readings: that somebody read conversations in a way that compliance should know of."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.supervision.models import Alert, Severity


class Sort(models.TextChoices):
    BULK = "bulk", _("Many conversations within an hour")
    OWN_NAME = "own_name", _("A conversation of somebody with the same family name")
    OUTSIDE_TEAM = "outside_team", _("Conversations of another team")
    NO_TASK = "no_task", _("Conversations without a task")


class UnusualReading(Row):
    """What one person read on one day, of one sort. The comment of a close is in its event."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    #: This person never sees the row.
    reader = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    #: In the project's time zone.
    day = models.DateField()
    sort = models.CharField(max_length=16, choices=Sort.choices)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    #: IDs of the events in the access log, as text, oldest first.
    evidence = models.JSONField()
    #: Number of conversations read.
    times = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    resolution = models.CharField(max_length=16, choices=Alert.Resolution.choices, blank=True, default="")
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    closed_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reader", "day", "sort"], name="contact_guard_unusual_once"),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-opened_at"], name="contact_guard_unusual_queue")]
