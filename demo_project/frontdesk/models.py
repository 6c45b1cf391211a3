"""Staff, guests and stays. Independent of crm_contact_guard."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Hotel(models.Model):
    """One of the group's hotels."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    name_ja = models.CharField(max_length=80)
    city = models.CharField(max_length=40)
    phone = models.CharField(max_length=20)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name_ja if (get_language() or "").startswith("ja") else self.name


class Team(models.Model):
    """Staff who look after the same guests, with their supervisor and deputy."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    hotel = models.ForeignKey(Hotel, null=True, blank=True, on_delete=models.PROTECT, related_name="teams")
    supervisor = models.ForeignKey("User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    deputy = models.ForeignKey("User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A member of staff."""

    class Role(models.TextChoices):
        STAFF = "staff", _("Staff")
        MANAGER = "manager", _("Manager")
        COMPLIANCE = "compliance", _("Compliance")
        AUDITOR = "auditor", _("Auditor")
        IT = "it", _("IT")

    display_name = models.CharField(max_length=80)
    title = models.CharField(max_length=80, blank=True, default="")
    title_ja = models.CharField(max_length=80, blank=True, default="")
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.STAFF)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="members")
    time_zone = models.CharField(max_length=40, default="Asia/Tokyo")
    language = models.CharField(max_length=5, default="ja")
    #: Like {"mon-fri": "09:00-18:00"}; empty: the group's hours.
    hours = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.display_name or self.get_username()

    @property
    def job(self) -> str:
        """The job title in the active language."""
        return self.title_ja if (get_language() or "").startswith("ja") and self.title_ja else self.title


class Guest(models.Model):
    """A guest, also a former or prospective one."""

    class Source(models.TextChoices):
        HOTEL = "hotel", _("Hotel")
        REPLAY = "replay", _("Replay")

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=80)
    reading = models.CharField(max_length=80, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    phone = models.CharField(max_length=30, blank=True, default="")
    line_id = models.CharField(max_length=40, blank=True, default="")
    language = models.CharField(max_length=5, default="ja")
    time_zone = models.CharField(max_length=40, default="Asia/Tokyo")
    country = models.CharField(max_length=2, default="JP")
    note = models.CharField(max_length=200, blank=True, default="")
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="guests")
    #: Guests of replayed conversations are hidden in the front desk's list.
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.HOTEL)

    class Meta:
        ordering = ["reading", "name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("guest", args=[self.pk])


class Reservation(models.Model):
    """A booked, current or past stay."""

    class Status(models.TextChoices):
        BOOKED = "booked", _("Booked")
        IN_HOUSE = "in_house", _("In house")
        LEFT = "left", _("Checked out")
        CANCELLED = "cancelled", _("Cancelled")

    code = models.CharField(max_length=12, unique=True)
    guest = models.ForeignKey(Guest, on_delete=models.CASCADE, related_name="reservations")
    hotel = models.ForeignKey(Hotel, on_delete=models.PROTECT, related_name="reservations")
    room = models.CharField(max_length=10, blank=True, default="")
    plan = models.CharField(max_length=80)
    plan_ja = models.CharField(max_length=80)
    arrives = models.DateField()
    leaves = models.DateField()
    people = models.PositiveSmallIntegerField(default=2)
    yen = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.BOOKED)

    class Meta:
        ordering = ["-arrives"]

    def __str__(self) -> str:
        return self.code

    @property
    def nights(self) -> int:
        return (self.leaves - self.arrives).days

    @property
    def plan_shown(self) -> str:
        """The plan's name in the active language."""
        return self.plan_ja if (get_language() or "").startswith("ja") else self.plan
