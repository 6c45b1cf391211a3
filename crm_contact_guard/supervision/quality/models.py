"""What was drawn at random for review: conversations that nobody was warned of, and closed alerts for a second look."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.quality.hashing import chance_of


class SampleDraw(Row):
    """One draw: all messages recorded in a week, and all alerts closed in it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    #: The ISO week, such as "2026-W48", in the company's time zone.
    period = models.CharField(max_length=8)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    drawn_at = models.DateTimeField()
    #: The key of the draw, in hexadecimal, and the SHA-256 hash of the next week's, which thus was fixed by now.
    key = models.CharField(max_length=64)
    next_key_hash = models.CharField(max_length=64)
    #: A row is drawn if its hash is below this number in hexadecimal (``hashing``).
    below = models.CharField(max_length=17)
    #: How many conversations could be drawn, and how many were.
    frame = models.PositiveIntegerField()
    drawn = models.PositiveIntegerField()
    #: The same of alerts for a second review.
    second_below = models.CharField(max_length=17)
    second_frame = models.PositiveIntegerField()
    second_drawn = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "period"], name="contact_guard_draw_once")]

    @property
    def chance(self) -> float:
        """The chance of each conversation to be drawn."""
        return chance_of(self.below)


class SampledTalk(Row):
    """A conversation drawn from those without a warning in the week, and what its reader found."""

    class Verdict(models.TextChoices):
        NOTHING = "nothing", _("Nothing missed")
        MISSED = "missed", _("Something missed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    draw = models.ForeignKey(SampleDraw, on_delete=models.PROTECT, related_name="talks")
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True, default="")
    read_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    read_at = models.DateTimeField(null=True)
    #: The alert that was opened for what was missed.
    alert = models.ForeignKey(Alert, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draw", "conversation"], name="contact_guard_sampled_once")]


class SecondReview(Row):
    """A closed alert that a second person judges without knowing the first one's judgement."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    draw = models.ForeignKey(SampleDraw, on_delete=models.PROTECT, related_name="second_reviews")
    alert = models.OneToOneField(Alert, on_delete=models.PROTECT, related_name="second_review")
    #: Null as long as nobody may do it.
    reviewer = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    resolution = models.CharField(max_length=16, choices=Alert.RESOLUTIONS, blank=True, default="")
    given_at = models.DateTimeField(null=True)
    #: The first judgement at the time when the second one was given.
    first = models.CharField(max_length=16, choices=Alert.RESOLUTIONS, blank=True, default="")
    first_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
