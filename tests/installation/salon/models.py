"""Staff members and appointments."""

from django.conf import settings
from django.db import models


class StaffMember(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)


class Appointment(models.Model):
    client = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    staff_member = models.ForeignKey(StaffMember, null=True, on_delete=models.SET_NULL)
