"""A host CRM that is awkward on purpose: UUID users who log in by e-mail and know no groups, several phone fields,
e-mails in one comma-separated field. What works here works in most living hosts."""

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class Branch(models.Model):
    """A team, under the host's own name for it."""

    title = models.CharField(max_length=100)
    head = models.ForeignKey("User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    deputy_head = models.ForeignKey("User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return self.title


class User(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    display_name = models.CharField(max_length=100, blank=True)
    job = models.CharField(max_length=20, default="clerk")
    branch = models.ForeignKey(Branch, null=True, blank=True, on_delete=models.SET_NULL, related_name="members")
    zone = models.CharField(max_length=40, default="Asia/Tokyo")
    language = models.CharField(max_length=10, default="ja")
    hours = models.JSONField(null=True, blank=True)
    calendar = models.JSONField(null=True, blank=True)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    def __str__(self) -> str:
        return self.display_name or self.email


class Client(models.Model):
    """A customer, under the host's own name for it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    full_name = models.CharField(max_length=100)
    emails = models.TextField(blank=True)
    mobile = models.CharField(max_length=40, blank=True)
    office_phone = models.CharField(max_length=40, blank=True)
    manager = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="clients")
    language = models.CharField(max_length=10, default="ja")
    zone = models.CharField(max_length=40, default="Asia/Tokyo")

    def __str__(self) -> str:
        return self.full_name

    def get_absolute_url(self) -> str:
        return f"/clients/{self.pk}/"
