"""What employees say about alerts that concern them. The words are in the events."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.supervision.models import Alert


class FlagRemark(Row):
    """A comment on an alert by the employee it concerns, or a contest, which somebody must answer."""

    class Kind(models.TextChoices):
        COMMENT = "comment", _("Comment")
        CONTEST = "contest", _("I disagree")

    class Outcome(models.TextChoices):
        KEPT = "kept", _("It stays as it is")
        REOPENED = "reopened", _("It is looked at again")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="remarks")
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    made_at = models.DateTimeField()
    answered_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, blank=True, default="")
