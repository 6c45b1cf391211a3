"""Make one delivery attempt: claim the message, hand it to the carrier outside any transaction, record the answer."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import OutboundMessage, OutboundTemplate
from crm_contact_guard.conf import settings
from crm_contact_guard.conversations.recording_notice import recording_notice
from crm_contact_guard.delivery import consent, health, outbox
from crm_contact_guard.directory.addresses import is_masked
from crm_contact_guard.exceptions import ChannelError, ConfigurationError
from crm_contact_guard.files import storage
from crm_contact_guard.hosting import logs
from crm_contact_guard.hosting.building import building
from crm_contact_guard.record.models import AUTO, Direction, Message
from crm_contact_guard.record.reached import reached

logger = logs.logger(__name__)

#: Key in an outbound message's details under which the text block used is stored.
TEMPLATE = "template"
#: Number of earlier carrier IDs that an email refers to (RFC 5322 §3.6.4 sets no limit; some servers cut long headers).
_REFERENCES = 10


def deliver(message_id: UUID) -> datetime | None:
    """Try to deliver a message now. Do nothing if it is finished or claimed by another worker.

    Return the time when the next attempt is due, or None if there is none.
    """
    alias = Message.objects.values_list("channel", flat=True).get(pk=message_id)
    try:
        carrier = registry.channel(alias)
    except ConfigurationError:
        # The channel was removed from the settings. The message waits until the channel is configured again.
        logger.exception("Message %s waits for channel %s, which is not configured", message_id, alias)
        return None
    if not outbox.is_due(message_id):
        return None
    wait = health.wait_until(carrier)
    if wait is not None:
        outbox.postpone(message_id, wait)
        return wait
    lasts = carrier.idempotency_lasts
    idempotent = carrier.supports_idempotency and not (lasts is not None and outbox.was_tried_before(message_id, lasts))
    claim = outbox.claim(message_id, idempotent=idempotent)
    if claim is None:
        return None
    withdrawn = "erased" if claim.message.salt is None else consent.withdrawn(claim.message, carrier)
    if withdrawn:
        return outbox.failed(claim, permanent=True, error=withdrawn)
    try:
        with building():
            order = outbound(claim)
        receipt = carrier.send(order)
    except ChannelError as error:
        if error.permanent:
            health.answered(alias)
        else:
            health.failed(alias, error)
        if error.contact:
            consent.refused(claim.message, error)
        return outbox.failed(
            claim,
            permanent=error.permanent,
            uncertain=error.uncertain,
            error=str(error),
            detail=error.detail,
            retry_after=error.retry_after,
        )
    except Exception as error:
        # A bug in a carrier's library must not block the message, so log the traceback and retry. The error may have
        # occurred while reading the answer to an accepted message, so the outcome is uncertain.
        logger.exception("Channel %s failed on message %s", alias, message_id)
        health.failed(alias, error)
        return outbox.failed(claim, permanent=False, uncertain=True, error=f"{type(error).__name__}: {error}")
    health.answered(alias)
    outbox.succeeded(claim, receipt.status, carrier_id=receipt.carrier_id, detail=receipt.detail)
    return None


def outbound(claim: outbox.Claim) -> OutboundMessage:
    """Return the claimed message in the form that the channel sends."""
    message = claim.message
    conversation = message.conversation
    references = _references(message)
    return OutboundMessage(
        message_id=str(message.pk),
        to_name="" if is_masked(message.to_name or "") else message.to_name or "",
        to_address=message.to_address or "",
        from_name=message.from_name or "",
        text=message.text or "",
        subject=message.subject or conversation.subject,
        reply_token=conversation.reply_token,
        in_reply_to=references[-1] if references else "",
        references=references,
        language=conversation.customer.language,
        notice=recording_notice(conversation.customer.language),
        occurred_at=message.occurred_at,
        possible_duplicate=claim.possible_duplicate,
        automatic=message.source == AUTO,
        files=tuple(storage.outbound(attachment) for attachment in message.attachments.exclude(stored_as="")),
        template=_template(message),
    )


def _template(message: Message) -> OutboundTemplate | None:
    chosen = json.loads(message.details or "{}").get(TEMPLATE)
    if chosen is None:
        return None
    carrier_ids = settings.TEMPLATES.get(chosen["name"], {}).get("CARRIERS") or {}
    return OutboundTemplate(**chosen, carrier_id=str(carrier_ids.get(message.channel, {}).get(chosen["language"], "")))


def _references(message: Message) -> tuple[str, ...]:
    """Return the carrier IDs of earlier messages in the conversation on the same channel, oldest first."""
    same_channel = Message.objects.filter(
        conversation_id=message.conversation_id, channel=message.channel, occurred_at__lte=message.occurred_at
    )
    earlier = (
        reached(same_channel)
        .exclude(pk=message.pk)
        .order_by("-occurred_at", "-id")
        .values_list("direction", "carrier_id", "delivery__carrier_id")[:_REFERENCES]
    )
    ids = [inbound if direction == Direction.INBOUND else outbound for direction, inbound, outbound in earlier]
    return tuple(identifier for identifier in reversed(ids) if identifier)
