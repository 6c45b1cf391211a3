"""The record. ``Message`` and ``Event`` are recorded tables: database triggers only allow INSERT.

The other tables contain working state (who answers, what is waiting) that could be rebuilt.
For the order and meaning of the recorded tables' columns, see docs/decisions/0001-leaf-format.md.
"""

from __future__ import annotations

from typing import ClassVar, Final, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Customer, Employee, Team
from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.record.managers import RecordedManager


class Conversation(Row):
    """Messages between one customer and the employee or team that answers."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    # The indexes of these foreign keys are in Meta, combined with the time.
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, db_index=False, related_name="conversations")
    employee = models.ForeignKey(
        Employee, null=True, blank=True, on_delete=models.PROTECT, db_index=False, related_name="conversations"
    )
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, db_index=False, related_name="conversations"
    )
    subject = models.CharField(max_length=255, blank=True, default="")
    channel = models.CharField(max_length=64, help_text="Alias of the channel used last.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    #: Part of reply addresses (``reply+TOKEN@…``); random, so that nobody can guess another conversation's address.
    reply_token = models.CharField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    last_message_at = models.DateTimeField(null=True, blank=True)
    #: Time of the customer's first unanswered message; null if there is none.
    waiting_since = models.DateTimeField(null=True, blank=True)
    unread = models.PositiveIntegerField(default=0)
    #: When somebody last said that no (further) answer is needed. A later message supersedes it.
    done_at = models.DateTimeField(null=True, blank=True)
    #: Until when the conversation is put aside, and since when. A later message ends this.
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["employee", "-last_message_at"], name="contact_guard_conv_employee"),
            models.Index(fields=["team", "-last_message_at"], name="contact_guard_conv_team"),
            models.Index(fields=["customer", "-last_message_at"], name="contact_guard_conv_customer"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Direction(models.TextChoices):
    INBOUND = "inbound", _("From the customer")
    OUTBOUND = "outbound", _("To the customer")
    NOTE = "note", _("Note")


#: ``Message.source`` of automatic answers, which aren't an employee's writing.
AUTO: Final = "auto"


class MessageKind(models.TextChoices):
    MESSAGE = "message", _("Message")
    CALL = "call", _("Phone call")
    MEETING = "meeting", _("Meeting")


class RecordedRow(Row):
    """Columns of both recorded tables: salt, digests of the personal fields, format and leaf hash."""

    salt = models.BinaryField(null=True, help_text="16 random bytes per personal field; null after erasure.")
    digests = models.BinaryField(
        help_text="32 bytes per personal field in the order of proof.canonical, then the digest of all."
    )
    format = models.PositiveSmallIntegerField()
    leaf_hash = models.BinaryField(help_text="SHA-256 of 0x00 and the canonical bytes (RFC 6962 §2.1).")

    objects: ClassVar[RecordedManager[Self]] = RecordedManager()

    class Meta:
        abstract = True


class Message(RecordedRow):
    """One message, inbound or outbound, or a note about a call or meeting. Never changed, never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    # Covered by contact_guard_msg_thread; another index would cost one more page write per message.
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, db_index=False, related_name="messages")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="messages")
    employee = models.ForeignKey(Employee, null=True, on_delete=models.PROTECT, related_name="messages")
    direction = models.CharField(max_length=8, choices=Direction.choices)
    channel = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=MessageKind.choices, default=MessageKind.MESSAGE)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    carrier_id = models.CharField(max_length=255, blank=True, default="")
    reply_to = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="replies")
    source = models.CharField(max_length=16, default="live")
    # Personal fields: null after erasure
    subject = models.TextField(null=True)
    text = models.TextField(null=True, help_text="The new text, without quotes.")
    quoted = models.TextField(null=True, help_text="Quoted history and signature.")
    from_name = models.TextField(null=True)
    from_address = models.TextField(null=True)
    to_name = models.TextField(null=True)
    to_address = models.TextField(null=True)
    details = models.TextField(null=True, help_text="Canonical JSON.")
    files = models.TextField(null=True, help_text="Canonical JSON: name, type, size, SHA-256 of each file.")

    class Meta:
        indexes = [
            models.Index(fields=["conversation", "-occurred_at", "-id"], name="contact_guard_msg_thread"),
            models.Index(fields=["carrier_id"], name="contact_guard_msg_carrier"),
            models.Index(fields=["-recorded_at", "-id"], name="contact_guard_msg_recorded"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Event(RecordedRow):
    """An event, such as a delivery, decision, override, alert step, view, export or erasure. Never changed."""

    class ActorType(models.TextChoices):
        EMPLOYEE = "employee", _("Employee")
        CUSTOMER = "customer", _("Customer")
        CARRIER = "carrier", _("Carrier")
        SYSTEM = "system", _("System")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.CharField(max_length=64, blank=True, default="")
    kind = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64)
    conversation = models.ForeignKey(Conversation, null=True, on_delete=models.PROTECT, related_name="events")
    # Covered by contact_guard_event_message.
    message = models.ForeignKey(Message, null=True, on_delete=models.PROTECT, db_index=False, related_name="events")
    actor_type = models.CharField(max_length=16, choices=ActorType.choices)
    actor = models.CharField(max_length=64, blank=True, default="")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    data = models.TextField(default="{}", help_text="Canonical JSON without personal data.")
    # Personal fields: null after erasure
    reason = models.TextField(null=True)
    details = models.TextField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "recorded_at"], name="contact_guard_event_subject"),
            models.Index(fields=["message", "recorded_at"], name="contact_guard_event_message"),
            models.Index(fields=["kind", "-recorded_at"], name="contact_guard_event_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Pending(Row):
    """A recorded row that has no leaf index yet. An AFTER INSERT trigger adds it; the sealer removes it."""

    id = models.BigAutoField(primary_key=True)
    row_kind = models.CharField(max_length=8)
    row_id = models.UUIDField()
    leaf_hash = models.BinaryField()


class ErasurePermit(Row):
    """Allows the personal fields and the salt of row ``row_id`` to be set to null, within the same transaction."""

    row_id = models.UUIDField(primary_key=True)


#: The recorded tables.
RECORDED_MODELS: Final[dict[RowKind, type[Message | Event]]] = {"message": Message, "event": Event}
