"""Agents: UUID keys, e-mail for a login, and neither user name, first name, groups nor stored permissions."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Agent(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    duty = models.CharField(max_length=20, default="agent")
    is_active = models.BooleanField(default=True)
    # The helpdesk asks every user for these two.
    is_staff = models.BooleanField(default=True)
    is_superuser = models.BooleanField(default=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    objects = BaseUserManager()

    def __str__(self):
        return self.email.split("@")[0].title()

    def has_perm(self, permission, row=None):
        return self.is_staff

    def get_full_name(self):
        return str(self)
