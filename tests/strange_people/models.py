"""People as parents and children of tables, under keys of every type, as models that can be swapped, as users."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models


class Live(models.Manager["User"]):
    """Hides who left, as hosts do."""

    def get_queryset(self) -> models.QuerySet[User]:
        return super().get_queryset().filter(is_active=True)


class User(AbstractBaseUser):
    """Staff and customers alike log in; the key is text, and the login name may be missing."""

    code = models.CharField(primary_key=True, max_length=40)
    email = models.EmailField(null=True, unique=True)
    full_name = models.CharField(max_length=400, blank=True)
    job = models.CharField(max_length=20, blank=True)
    keeper = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = Live()


class Party(models.Model):
    """Whoever the company has to do with: customers are children, and so are colleagues."""

    title = models.CharField(max_length=400)
    mail = models.CharField(max_length=200, blank=True)


class Guest(Party):
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)


class Colleague(Party):
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)


class Being(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=400)
    mail = models.CharField(max_length=200, blank=True)


class Patient(Being):
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)


class Coded(models.Model):
    """Hides its deleted rows from whoever does not know better."""

    code = models.CharField(primary_key=True, max_length=60)
    title = models.CharField(max_length=400)
    mail = models.CharField(max_length=200, blank=True)
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)


class Buyer(models.Model):
    """What the package that the host builds upon has; the host's own takes its place."""

    title = models.CharField(max_length=400)

    class Meta:
        swappable = "SHOP_BUYER_MODEL"


class OwnBuyer(models.Model):
    id = models.SmallAutoField(primary_key=True)
    title = models.CharField(max_length=400)
    mail = models.CharField(max_length=200, blank=True)
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
