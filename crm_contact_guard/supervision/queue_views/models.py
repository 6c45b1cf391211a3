"""Views of the queue that people keep for themselves."""

from __future__ import annotations

from django.db import models

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row


class QueueView(Row):
    """A person's named filters. They grant nothing: the queue shows what the person may see at the time."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    #: The filters as the queue's query string. The page checks them again at each use.
    query = models.CharField(max_length=600, blank=True)
    #: Whether the queue opens with this view.
    is_default = models.BooleanField(default=False)
