"""A CRM of several organisations: one table of users for all, everything else an organisation's own."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, models


def organisation_in_force() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.org', true), '')")
        return str(cursor.fetchone()[0])


def _enter(key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.org', %s, false)", [key])


@contextmanager
def organisation_context(key: str) -> Iterator[None]:
    before = organisation_in_force()
    _enter(str(uuid.UUID(key)))  # the host's own code minds what it is given
    try:
        yield
    finally:
        _enter(before)


class Organisation(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=100)


class User(AbstractBaseUser):
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email.partition("@")[0].title()


class Branch(models.Model):
    org = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    title = models.CharField(max_length=100)
    head = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")


class Profile(models.Model):
    """What a user is within an organisation; some work for two."""

    org = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="profiles")
    branch = models.ForeignKey(Branch, null=True, on_delete=models.SET_NULL)
    job = models.CharField(max_length=20)


class Contact(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    org = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    email = models.EmailField()
    phone = models.CharField(max_length=40, blank=True)
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
