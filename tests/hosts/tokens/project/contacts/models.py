"""Contacts of organisations: without an organisation in force, the default manager returns none."""

from django.conf import settings
from django.db import models
from tenxyte.models.tenant import BaseTenantModel


class Contact(BaseTenantModel):
    full_name = models.CharField(max_length=100)
    email = models.EmailField(blank=True)
    gsm = models.CharField(max_length=40, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)

    def __str__(self):
        return self.full_name
