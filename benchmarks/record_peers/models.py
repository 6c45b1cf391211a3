"""The message model with each history package: same columns, same foreign keys, same indexes."""

from __future__ import annotations

from typing import Any

import pghistory
from auditlog.registry import auditlog
from django.db import models
from simple_history.models import HistoricalRecords

from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.record.models import Conversation


class Columns(models.Model):
    """The columns of ``record.Message``."""

    id = models.UUIDField(primary_key=True)
    tenant = models.CharField(max_length=64, blank=True, default="")
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    employee = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=8)
    channel = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, default="message")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    carrier_id = models.CharField(max_length=255, blank=True, default="", db_index=True)
    reply_to = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=16, default="live")
    subject = models.TextField(null=True)
    text = models.TextField(null=True)
    quoted = models.TextField(null=True)
    from_name = models.TextField(null=True)
    from_address = models.TextField(null=True)
    to_name = models.TextField(null=True)
    to_address = models.TextField(null=True)
    details = models.TextField(null=True)
    files = models.TextField(null=True)
    salt = models.BinaryField(null=True)
    digests = models.BinaryField()
    format = models.PositiveSmallIntegerField()
    leaf_hash = models.BinaryField()

    class Meta:
        abstract = True
        app_label = "record_peers"


def _indexes(name: str) -> list[Any]:
    return [
        models.Index(fields=["conversation", "-occurred_at", "-id"], name=f"peer_{name}_thread"),
        models.Index(fields=["-recorded_at", "-id"], name=f"peer_{name}_recorded"),
    ]


class Plain(Columns):
    class Meta(Columns.Meta):
        indexes = _indexes("plain")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class PgHistory(Columns):
    class Meta(Columns.Meta):
        indexes = _indexes("pg")


class SimpleHistory(Columns):
    history = HistoricalRecords()

    class Meta(Columns.Meta):
        indexes = _indexes("simple")


class AuditLog(Columns):
    class Meta(Columns.Meta):
        indexes = _indexes("audit")


auditlog.register(AuditLog)
