"""People mirrored from the host CRM, which is the authoritative source.

These rows are kept even if the host deletes its own.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.host_user import HostUserField
from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.hosting.rows import Row


class Role(models.TextChoices):
    EMPLOYEE = "employee", _("Employee")
    SUPERVISOR = "supervisor", _("Supervisor")
    COMPLIANCE = "compliance", _("Compliance officer")
    AUDITOR = "auditor", _("Auditor")


class Employee(Row):
    """A host user who writes to customers or supervises. Never deleted, only deactivated."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    key = models.CharField(max_length=255, help_text="The host user's primary key as text.")
    # No database constraint: users may be in another database, and a host that uninstalls the app but keeps its tables
    # must still be able to delete users.
    user = HostUserField(django_settings.AUTH_USER_MODEL)
    name = models.CharField(max_length=255)
    email = models.CharField(max_length=320, blank=True, default="")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.EMPLOYEE)
    timezone = models.CharField(max_length=64, blank=True, default="", help_text="IANA name; empty: the project's.")
    language = models.CharField(max_length=16, blank=True, default="")
    working_hours = models.JSONField(default=dict, blank=True, help_text="Empty: the company's hours.")
    calendar = models.JSONField(default=dict, blank=True, help_text="Breaks, roster, leave, on-call duty, holidays.")
    active = models.BooleanField(default=True)
    teams: models.ManyToManyField[Team, Any] = models.ManyToManyField("Team", related_name="members", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="contact_guard_employee_key")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Team(Row):
    """A group of employees with a supervisor, and a deputy for alerts that concern the supervisor."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    key = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    supervisor = models.ForeignKey(
        Employee, null=True, blank=True, on_delete=models.PROTECT, related_name="supervised_teams"
    )
    deputy = models.ForeignKey(Employee, null=True, blank=True, on_delete=models.PROTECT, related_name="deputy_teams")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="contact_guard_team_key")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Absence(Row):
    """A time in which somebody who supervises is away and a colleague stands in."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    person = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="absences")
    stand_in = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    #: Exclusive. Ending an absence early sets it to that time, or to ``starts_at`` if it hasn't begun.
    ends_at = models.DateTimeField()
    entered_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["stand_in", "ends_at"], name="contact_guard_absence_stand_in"),
            models.Index(fields=["person", "ends_at"], name="contact_guard_absence_person"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Customer(Row):
    """A customer of the host, or an unknown sender who is not linked to one yet (``key`` is null)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    key = models.CharField(max_length=255, null=True, blank=True)
    name = models.CharField(max_length=255)
    language = models.CharField(max_length=16, blank=True, default="")
    timezone = models.CharField(max_length=64, blank=True, default="")
    owner = models.ForeignKey(Employee, null=True, blank=True, on_delete=models.PROTECT, related_name="customers")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="customers")
    url = models.CharField(max_length=500, blank=True, default="")
    active = models.BooleanField(default=True)
    #: The customer that an unknown sender was linked to, or that the host merged this one into. Messages recorded with
    #: this customer don't change.
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged")
    #: What the host gives instead of the setting ``QUIET_HOURS``; null if nothing.
    quiet_hours = models.JSONField(null=True, blank=True)
    #: The record keeps digests of the customer and the addresses under this salt; null after erasure.
    salt = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="contact_guard_customer_key")]

    def __str__(self) -> str:
        return self.name


class Address(Row):
    """An address of a customer. Customers may share one. ``normalised`` is used to look up senders."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="addresses")
    #: The name of an ``AddressKind``, which a channel declares.
    kind = models.CharField(max_length=16)
    value = models.CharField(max_length=320)
    normalised = models.CharField(max_length=320)
    position = models.PositiveSmallIntegerField(default=0)
    opted_out_at = models.DateTimeField(null=True, blank=True)
    #: Reason, as in ``channels.base.ContactKind`` ("stop", "unfollow", "bounce"…); empty without an opt-out.
    opted_out_by = models.CharField(max_length=16, blank=True, default="")
    #: Whether the address was added by linking an unknown sender. The host does not have it, so a sync must keep it.
    learnt = models.BooleanField(default=False)
    #: Whether the host removed the address. It is then kept only for its opt-out.
    dropped = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "kind", "normalised"], name="contact_guard_address_once")
        ]
        indexes = [models.Index(fields=["kind", "normalised"], name="contact_guard_address_find")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.customer_id}"
