"""Consultations: an employee asks for help with a customer. What was written is in the events, not in these tables."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Conversation


class Consultation(Row):
    """A request for help with the customer of one conversation. It never counts against the employee."""

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    class Wish(models.TextChoices):
        ADVICE = "advice", _("Advice")
        HANDOVER = "handover", _("Somebody else takes over")
        WARN = "warn", _("The company speaks to the customer")
        RECORD = "record", _("Only keep it on record")

    class Origin(models.TextChoices):
        """Who or what opened the consultation."""

        EMPLOYEE = "employee", _("Asked by the employee")
        SUPERVISOR = "supervisor", _("Opened by the supervisor")
        REPEATED_CONTACT = "repeated_contact", _("The customer kept asking after a refusal")
        HARASSMENT = "harassment", _("The customer's words were hurtful")
        NIGHT_DEMANDS = "night_demands", _("Many demands at night")

    class Result(models.TextChoices):
        ADVISED = "advised", _("Talked over")
        HANDED_OVER = "handed_over", _("Somebody else took over")
        WARNED = "warned", _("The company spoke to the customer")
        RESTRICTED = "restricted", _("The customer's contact was limited")
        OUTSIDE_HELP = "outside_help", _("Police or lawyer")
        SETTLED = "settled", _("Settled by itself")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="consultations")
    #: The employee who is helped, even if the supervisor or the app opened the consultation.
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="consultations")
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    #: Who was asked. Null if nobody could be found; compliance officers see the consultation in any case.
    addressee = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    #: Whether the employee prefers compliance. The team's supervisor and deputy then don't see the consultation.
    to_compliance = models.BooleanField(default=False)
    origin = models.CharField(max_length=16, choices=Origin.choices)
    wish = models.CharField(max_length=16, choices=Wish.choices, blank=True, default="")
    #: IDs of the messages and findings that it is about.
    messages = models.JSONField(default=list)
    findings = models.JSONField(default=list)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    result = models.CharField(max_length=16, choices=Result.choices, blank=True, default="")
    follow_up_at = models.DateTimeField(null=True)
    #: Whether the addressee was reminded of ``follow_up_at``.
    reminded = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["employee", "-updated_at"], name="contact_guard_consult_mine"),
            models.Index(fields=["team", "-updated_at"], name="contact_guard_consult_team"),
            models.Index(
                fields=["follow_up_at"], condition=models.Q(status__in=["open"]), name="contact_guard_consult_follow"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
