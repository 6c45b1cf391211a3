"""Findings, alerts and inspections: the working state of supervision. The history is in ``record.models.Event``."""

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
    """What an alert is about. Related kinds of findings share one alert (docs/decisions/0002-alert-topics.md)."""

    OFF_CHANNEL = "off_channel", _("Leaving the company's channels")
    AFTER_HOURS = "after_hours", _("Outside working hours")
    HARASSMENT = "harassment", _("Harassment")
    SENSITIVE_DATA = "sensitive_data", _("Sensitive data")
    SCAN_FAILURE = "scan_failure", _("Could not be inspected")


class Tier(models.TextChoices):
    """Whether a finding raised an alert, or was too weak and is only stored."""

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
        #: In the pool of what may wait. It isn't part of the day's work.
        REVIEW = "review", _("For review")
        SNOOZED = "snoozed", _("Snoozed")
        CLOSED = "closed", _("Closed")

    class Resolution(models.TextChoices):
        FALSE_POSITIVE = "false_positive", _("False alarm")
        NO_ACTION = "no_action", _("No action needed")
        COACHING = "coaching", _("Talked it over")
        CASE_OPENED = "case_opened", _("Case opened")
        #: Set by the second reader only; the findings remain noticed findings (docs/reader.md).
        NOTICED = "noticed", _("Only noticed")

    #: The resolutions that a person may choose: all but the last.
    RESOLUTIONS = tuple(Resolution.choices[:-1])

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="alerts")
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="alerts")
    #: Who receives the alert. Null if nobody could be found; compliance officers see it in any case.
    addressee = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="alerts")
    #: The conversation's employee when the alert was opened. This person never sees or closes the alert.
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
    #: Null for claims by versions that didn't store it.
    claimed_at = models.DateTimeField(null=True)
    #: When a snoozed alert returns. Null: when it happens again.
    snoozed_until = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    #: When the alert should be closed (``handling.deadlines``). Null: no deadline, also while it is put aside.
    due_at = models.DateTimeField(null=True)
    #: When the next step is taken if the alert is overdue (``handling.overdue``), and how many have been taken.
    next_step_at = models.DateTimeField(null=True)
    overdue_steps = models.PositiveSmallIntegerField(default=0, db_default=0)
    #: Findings in messages before this time join the alert.
    window_ends_at = models.DateTimeField()
    #: What makes the evidence one story, as a list that begins with the version of the rule (``handling.stories``).
    fingerprint = models.JSONField(null=True)
    #: Key of a story that has only one alert, whatever conversation its evidence is in. Null: any number over time.
    story = models.CharField(max_length=64, null=True, unique=True)
    #: Why the alert is as severe as it is (``handling.severity.REASONS``).
    reasons = models.JSONField(null=True)
    #: In how many messages there is evidence, and how often the employee declined what the customer asked for.
    times = models.PositiveIntegerField(default=1, db_default=1)
    declined = models.PositiveIntegerField(default=0, db_default=0)
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
            models.Index(fields=["next_step_at"], name="contact_guard_alert_step"),
            models.Index(
                fields=["snoozed_until"],
                condition=models.Q(status__in=["snoozed"]),
                name="contact_guard_alert_snoozed",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Finding(Row):
    """A detector's finding in a message: offsets into its text, never the text itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="findings")
    #: Null as long as the finding is only noticed.
    alert = models.ForeignKey(Alert, null=True, on_delete=models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=32, choices=FindingKind.choices)
    #: Its location: "" is the message's text, "file-2" the content of its third file, "name-2" that file's name.
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
        """The tier of the finding, derived from ``alert`` so that the two always agree."""
        return Tier.NOTICED if self.alert_id is None else Tier.ALERT


class Inspection(Row):
    """Marks a message as inspected by a certain version. The sweep looks for messages without an inspection."""

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.PROTECT, related_name="inspection")
    stance = models.CharField(max_length=8, choices=Stance.choices)
    score = models.FloatField()
    version = models.CharField(max_length=32)
    inspected_at = models.DateTimeField()
