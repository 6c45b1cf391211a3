"""The table of versions. Each contains its whole rulebook."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row


class PolicyVersion(Row):
    """A version of the rules."""

    class Origin(models.TextChoices):
        PAGE = "page", _("Published on the page")
        SETTINGS = "settings", _("From the settings")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Waits for a second person")
        PUBLISHED = "published", _("Published")
        SHADOW = "shadow", _("Runs silently")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    #: SHA-256 of ``text``. Decisions name it.
    digest = models.CharField(max_length=64)
    text = models.TextField(help_text="The rulebook as canonical JSON.")
    origin = models.CharField(max_length=8, choices=Origin.choices)
    state = models.CharField(max_length=9, choices=State.choices)
    valid_from = models.DateTimeField()
    author = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    #: Tenant and digest of a version from the settings, so that it is recorded once. Null for others.
    settings_key = models.CharField(max_length=130, null=True, unique=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "state", "-valid_from"], name="contact_guard_policy_in_force"),
            models.Index(fields=["tenant", "digest"], name="contact_guard_policy_digest"),
        ]

    def __str__(self) -> str:
        return self.digest[:12]
