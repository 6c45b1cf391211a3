"""Cases: what becomes of alerts that need more than a decision at once. The history is in ``record.models.Event``."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Customer, Employee, Team
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.cases.outcomes import Outcome
from crm_contact_guard.supervision.models import Alert


class Sort(models.TextChoices):
    CONDUCT = "conduct", _("Conduct case")
    #: The customer presses. Never directed against the employee.
    PROTECTION = "protection", _("Protection case")


class State(models.TextChoices):
    OPEN = "open", _("Just opened")
    INVESTIGATING = "investigating", _("Being looked into")
    HEARING = "hearing", _("Hearing")
    PROPOSED = "proposed", _("Outcome proposed")
    APPROVED = "approved", _("Outcome approved")
    DECIDED = "decided", _("Decided")
    APPEALED = "appealed", _("Objection raised")
    CLOSED = "closed", _("Closed")


class Part(models.TextChoices):
    """Somebody's part in a case. Only the first three are stored."""

    LEAD = "lead", _("Leads the case")
    MEMBER = "member", _("Works on the case")
    APPROVER = "approver", _("Approves the outcome")
    CONCERNED = "concerned", _("Is concerned")
    OFFICER = "officer", _("Compliance officer without a part")
    NOBODY = "nobody", _("Has no part")


class Case(Row):
    """A conduct case about an employee, or a protection case for one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    sort = models.CharField(max_length=16, choices=Sort.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    concerned = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="cases")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    #: ID of the consultation from which a protection case was opened.
    consultation = models.CharField(max_length=64, blank=True, default="")
    #: What the concerned employee was told is alleged.
    allegation = models.TextField(blank=True, default="")
    outcome = models.CharField(max_length=32, choices=Outcome.choices, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    #: Canonical JSON: the figures and the plan of a pay cut.
    terms = models.TextField(blank=True, default="")
    #: Version of the work rules that the outcome rests on.
    rules = models.CharField(max_length=64, blank=True, default="")
    #: When the earliest act happened that no alert shows.
    acted_at = models.DateTimeField(null=True)
    opened_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    proposed_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    #: When the concerned employee was told; from then on, the employee sees the case.
    told_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    appeal_until = models.DateTimeField(null=True)
    appealed_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "state", "-updated_at"], name="contact_guard_case_list"),
            models.Index(fields=["concerned", "sort", "state"], name="contact_guard_case_concerned"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class CaseParticipant(Row):
    """Somebody who works on a case. The concerned employee is never one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="participants")
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    part = models.CharField(max_length=16, choices=Part.choices[:3])
    added_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "employee"], name="contact_guard_case_participant")]


class CaseEvidence(Row):
    """An alert or a conversation that belongs to a case."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="evidence")
    #: Null if the conversation was added as a whole.
    alert = models.ForeignKey(Alert, null=True, on_delete=models.PROTECT, related_name="cases")
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="+")
    added_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "alert"], name="contact_guard_case_alert")]


class CaseEntry(Row):
    """Something written for a case."""

    class Kind(models.TextChoices):
        NOTE = "note", _("Note")
        INTERVIEW = "interview", _("Interview")
        HEARING = "hearing", _("Hearing")
        STATEMENT = "statement", _("Statement")
        APPEAL = "appeal", _("Objection")
        ANSWER = "answer", _("Answer to the objection")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()


class CaseTask(Row):
    """Something to do for a case until a date."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="tasks")
    title = models.CharField(max_length=200)
    assignee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    created_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    done_by = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["done_at", "reminded_at", "due_at"], name="contact_guard_case_task_due")]


class CaseLetter(Row):
    """A letter to the concerned employee, as it was issued."""

    class Kind(models.TextChoices):
        HEARING = "hearing", _("Invitation to the hearing")
        DECISION = "decision", _("Decision")
        PROTECTION = "protection", _("What we do for you")
        ANSWER = "answer", _("Answer to your objection")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    #: Counts the letters of this kind in the case, from 1.
    version = models.PositiveSmallIntegerField()
    language = models.CharField(max_length=16)
    text = models.TextField()
    sha256 = models.CharField(max_length=64, help_text="Of the text in UTF-8.")
    created_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "kind", "version"], name="contact_guard_case_letter")]
