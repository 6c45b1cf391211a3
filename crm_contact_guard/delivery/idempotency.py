"""Idempotency keys. A client that repeats a request with the same ``Idempotency-Key`` gets the first message again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.delivery.models import IdempotencyKey
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.record.inserting import insert_quietly
from crm_contact_guard.record.models import Conversation, Message

_LONGEST = 255


def mark(employee_id: UUID, key: str, digest: str) -> str:
    """Return the SHA-256 of a key, its employee and the request's digest, in hexadecimal."""
    return hashlib.sha256(json.dumps([str(employee_id), key, digest]).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, kw_only=True)
class KeyedRequest:
    """A request to send a message, with its idempotency key. The key is empty if the client sent none.

    ``digest`` is the SHA-256 of what is to be sent, in hexadecimal.
    """

    actor: Employee
    key: str
    digest: str

    @classmethod
    def of(
        cls,
        actor: Employee,
        key: str,
        *,
        conversation: Conversation,
        channel: str,
        subject: str,
        text: str,
        files: Sequence[FileIn],
        send_at: datetime | None = None,
    ) -> KeyedRequest:
        digests = [[file.name, hashlib.sha256(file.content).hexdigest()] for file in files]
        more = [digests] if digests else []
        when = [send_at.isoformat()] if send_at is not None else []
        parts = json.dumps([str(conversation.pk), channel, subject, text, *more, *when])
        digest = hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()
        return cls(actor=actor, key=key[:_LONGEST], digest=digest)

    def answered(self) -> Message | None:
        """Return the message of an earlier request with this key, if any.

        Raise InvalidMessage if the earlier request sent something else.
        """
        if not self.key:
            return None
        known = IdempotencyKey.objects.filter(employee=self.actor, key=self.key).select_related("message").first()
        if known is None:
            return None
        if known.request_digest != self.digest:
            raise InvalidMessage(_("This Idempotency-Key was used for another message."), field="Idempotency-Key")
        return known.message

    def mark(self) -> str:
        """Return the digest of key and request that is recorded, or an empty string if there is no key."""
        return mark(self.actor.pk, self.key, self.digest) if self.key else ""

    def answer(self, message: Message) -> None:
        """Store the unique key with its message. Call this in the transaction that records the message."""
        if self.key:
            insert_quietly(
                IdempotencyKey(
                    employee=self.actor,
                    key=self.key,
                    request_digest=self.digest,
                    message=message,
                    created_at=timezone.now(),
                )
            )
