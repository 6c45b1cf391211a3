"""Counts per day, kept up to date by a task. They can be rebuilt from the record at any time."""

from __future__ import annotations

from django.db import models

from crm_contact_guard.hosting.rows import Row


class Figure(Row):
    """One count of a day in the company's time zone. ``team`` is the team's ID; "" for conversations without one."""

    id = models.BigAutoField(primary_key=True)
    tenant = models.CharField(max_length=64, blank=True, default="")
    day = models.DateField()
    team = models.CharField(max_length=36, blank=True, default="")
    #: What is counted (``counting.MEASURES``), and which part of it.
    measure = models.CharField(max_length=16)
    part = models.CharField(max_length=32, blank=True, default="")
    number = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "day", "team", "measure", "part"], name="contact_guard_figure_once"
            )
        ]


class FigureMark(Row):
    """Up to when a tenant's record has been counted. Its row is also the lock of those who count."""

    tenant = models.CharField(max_length=64, primary_key=True)
    counted_to = models.DateTimeField(null=True)
