"""Calendars that the app keeps itself, besides the one that the adapter returns for an employee."""

from __future__ import annotations

from django.db import models

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row


class WorkCalendar(Row):
    """The working time of an employee, or the company's own dates, from one source.

    Never deleted. Each change has a version, and the record keeps all versions.
    """

    class Source(models.TextChoices):
        PAGE = "page"
        ICALENDAR = "icalendar"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    #: The employee's ID as text; empty for the company. No foreign key, because a null isn't unique.
    owner = models.CharField(max_length=36, blank=True, default="")
    source = models.CharField(max_length=16, choices=Source.choices)
    calendar = models.JSONField(default=dict, help_text="In the format of Employee.calendar.")
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    #: Why the file couldn't be read the last time; empty if it could. The calendar is then that of an earlier file.
    problem = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "owner", "source"], name="contact_guard_calendar_once")
        ]

    def __str__(self) -> str:
        return f"{self.source} of {self.owner or 'the company'}"
