"""API tokens. A token is shown once, stored as a hash, and expires."""

from __future__ import annotations

from typing import Final

from django.db import models

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.rows import Row

#: What a token may be used for, in addition to what its owner may do.
SCOPES: Final = ("read", "send", "review", "export")


class ApiToken(Row):
    """A bearer token belonging to one employee, with that employee's permissions, restricted to its scopes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(max_length=100)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    #: Scopes, separated by blanks. Tokens of earlier versions have all.
    scopes = models.CharField(max_length=64, default=" ".join(SCOPES), db_default=" ".join(SCOPES))
    #: Networks in CIDR notation, separated by blanks, from which the token is accepted; empty for all.
    networks = models.CharField(max_length=1000, blank=True, default="", db_default="")
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)


class Creation(Row):
    """What an API request with an ``Idempotency-Key`` created, so that repeating the request creates nothing more."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    #: What was asked for, such as "exports_create".
    operation = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    #: SHA-256 of the request's body.
    request_digest = models.CharField(max_length=64)
    #: The ID of the row that was created.
    created = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["employee", "operation", "key"], name="contact_guard_creation_once")
        ]
