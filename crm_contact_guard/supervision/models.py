"""Findings, alerts and notices: working state of supervision. The history itself stands in ``record.models.Event``."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Conversation, Message


class FindingKind(models.TextChoices):
    CONTACT_IDENTIFIER = "contact_identifier", _("Private contact")
    CONTACT_REQUEST = "contact_request", _("Wish to talk elsewhere")
    PRIVATE_MEETING = "private_meeting", _("Private meeting")
    SIDE_DEAL = "side_deal", _("Deal past the company")
    PRIVATE_TOPIC = "private_topic", _("Private questions")
    AFTER_HOURS = "after_hours", _("Outside working hours")
    REPEATED_CONTACT = "repeated_contact", _("Pressing after a refusal")
    HARASSMENT = "harassment", _("Harassment")
    SENSITIVE_DATA = "sensitive_data", _("Sensitive data")


class Stance(models.TextChoices):
    OFFER = "offer", _("offers")
    ASK = "ask", _("asks")
    ACCEPT = "accept", _("accepts")
    REFUSE = "refuse", _("declines")
    REPORT = "report", _("reports")
    NONE = "none", _("none")


class Side(models.TextChoices):
    EMPLOYEE = "employee", _("Employee")
    CUSTOMER = "customer", _("Customer")


class Topic(models.TextChoices):
    """What an alert is about: kinds that tell one story share one alert (docs/decisions/0002-alert-topics.md)."""

    OFF_CHANNEL = "off_channel", _("Leaving the company's channels")
    AFTER_HOURS = "after_hours", _("Outside working hours")
    HARASSMENT = "harassment", _("Harassment")
    SENSITIVE_DATA = "sensitive_data", _("Sensitive data")
    SCAN_FAILURE = "scan_failure", _("Could not be inspected")


class Tier(models.TextChoices):
    """How far a finding went: it warned a person, or it was too unsure for that and is only kept."""

    ALERT = "alert", _("Somebody was warned")
    NOTICED = "noticed", _("Noticed, nobody was warned")


class Severity(models.IntegerChoices):
    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")


class Alert(Row):
    """Findings of one conversation and topic within a window, addressed to a supervisor."""

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        CLAIMED = "claimed", _("In review")
        CLOSED = "closed", _("Closed")

    class Resolution(models.TextChoices):
        FALSE_POSITIVE = "false_positive", _("False alarm")
        NO_ACTION = "no_action", _("No action needed")
        COACHING = "coaching", _("Talked it over")
        CASE_OPENED = "case_opened", _("Case opened")
        #: The second reader's, never a person's: what was found is kept as noticed (docs/reader.md).
        NOTICED = "noticed", _("Only noticed")

    #: What a person may choose: all but the last.
    RESOLUTIONS = tuple(Resolution.choices[:-1])

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="alerts")
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="alerts")
    #: To whom it is addressed; null: nobody could be found, compliance sees it.
    addressee = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="alerts")
    #: The employee in the conversation at that time; never sees or closes the alert.
    concerned = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    topic = models.CharField(max_length=16, choices=Topic.choices)
    kind = models.CharField(max_length=32, choices=FindingKind.choices, help_text="Of the strongest finding.")
    by = models.CharField(max_length=8, choices=Side.choices)
    stance = models.CharField(max_length=8, choices=Stance.choices)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    resolution = models.CharField(max_length=16, choices=Resolution.choices, blank=True, default="")
    comment = models.TextField(blank=True, default="")
    claimed_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    closed_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    #: Further findings join until then.
    window_ends_at = models.DateTimeField()
    #: The message that completed the evidence.
    at_message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [
            models.Index(
                fields=["team", "-severity", "-opened_at"],
                condition=models.Q(status__in=["open", "claimed"]),
                name="contact_guard_alert_queue",
            ),
            models.Index(fields=["conversation", "topic", "-opened_at"], name="contact_guard_alert_window"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Finding(Row):
    """What a detector saw in a message: offsets into its text, never the text itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="findings")
    #: Null while the finding is only noticed.
    alert = models.ForeignKey(Alert, null=True, on_delete=models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=32, choices=FindingKind.choices)
    #: Where it stands: "" is the message's text, "file-2" what its third file holds, "name-2" that file's name.
    place = models.CharField(max_length=16, blank=True, default="")
    start = models.PositiveIntegerField(help_text="Offset in code points.")
    end = models.PositiveIntegerField()
    score = models.FloatField(help_text="Calibrated probability 0…1.")
    detector = models.CharField(max_length=128)
    version = models.CharField(max_length=32)
    stance = models.CharField(max_length=8, choices=Stance.choices)
    by = models.CharField(max_length=8, choices=Side.choices, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "kind", "detector", "place", "start", "end"], name="contact_guard_finding_once"
            )
        ]
        indexes = [models.Index(fields=["kind", "-created_at"], name="contact_guard_finding_kind")]

    @property
    def tier(self) -> Tier:
        """Whether the finding belongs to an alert; it follows from ``alert``, so that the two can't disagree."""
        return Tier.NOTICED if self.alert_id is None else Tier.ALERT


class Inspection(Row):
    """That a message was inspected, and by which engine: what the sweeper looks for."""

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.PROTECT, related_name="inspection")
    stance = models.CharField(max_length=8, choices=Stance.choices)
    score = models.FloatField()
    version = models.CharField(max_length=32)
    inspected_at = models.DateTimeField()


class Notice(Row):
    """A warning that is to reach a person; its own outbox, so that one alert gives one mail a person."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting to be sent")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Not delivered")

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="notices")
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=32, default="email")
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True, default="")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alert", "employee", "channel"], name="contact_guard_notice_once")
        ]
