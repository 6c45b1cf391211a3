"""Tables for stored files and for files to download from a carrier."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.record.models import Message


class Attachment(Row):
    """A file belonging to a message. Its SHA-256 is in the message's ``files`` and therefore in the leaf."""

    class Kind(models.TextChoices):
        ATTACHMENT = "attachment", _("Attachment")
        ORIGINAL = "original", _("Original as received")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="attachments")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    #: Name in the storage ``FILE_STORAGE``. It is blank after erasure.
    stored_as = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "position"], name="contact_guard_attachment_place")]
        ordering = ["position"]


class Media(Row):
    """A file to download from the carrier. The row is deleted when the file is recorded."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="media")
    ref = models.TextField()
    name = models.CharField(max_length=255, blank=True, default="")
    content_type = models.CharField(max_length=127, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="contact_guard_media_due")]
