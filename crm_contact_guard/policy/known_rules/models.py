"""Published versions of the rules, each person's acknowledgement, and questions with their answers."""

from __future__ import annotations

from django.db import models

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row


class RulesVersion(Row):
    """One published version. It never changes; a correction is a new version."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    title_ja = models.CharField(max_length=200)
    text = models.TextField()
    text_ja = models.TextField()
    quiz = models.TextField(help_text="As written by its author; see quiz.parse.")
    valid_from = models.DateTimeField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of everything that a reader sees.")
    published_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="contact_guard_rules_number")]

    def __str__(self) -> str:
        return f"{self.number}"


class Acknowledgement(Row):
    """One person and one version: reminders, attempts at the quiz, and the signature."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(RulesVersion, on_delete=models.PROTECT, db_index=False, related_name="acknowledgements")
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    reminders = models.PositiveSmallIntegerField(default=0)
    remind_at = models.DateTimeField(null=True)
    quiz_tries = models.PositiveSmallIntegerField(default=0)
    quiz_passed_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "employee"], name="contact_guard_acknowledgement_once")
        ]
        indexes = [models.Index(fields=["remind_at"], name="contact_guard_ack_remind")]


class RulesQuestion(Row):
    """A question about the rules. Everybody can find it with its answer, but not who asked."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    asked_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    text = models.TextField()
    answer = models.TextField(blank=True, default="")
    answered_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-asked_at"], name="contact_guard_rules_question")]
