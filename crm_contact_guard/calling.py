"""Click-to-call: the carrier calls the employee, then the customer. Only the carrier sees the numbers.

The request is recorded before the carrier is asked, and the carrier's answer afterwards. The call itself is recorded
when the carrier reports that it has ended (``conversations.calls``). A request is never retried automatically, because
nobody wants to be called later.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel, PhoneCall
from crm_contact_guard.conversations import calls
from crm_contact_guard.conversations.carrier_events import note_seen, seen
from crm_contact_guard.delivery import consent
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import ChannelError, InvalidMessage, NotPermitted
from crm_contact_guard.hosting import logs
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.record.recording import record_event

logger = logs.logger(__name__)


def lines(conversation: Conversation) -> list[Channel]:
    """Return the channels over which the customer can be called now."""
    configured = (registry.channel(alias) for alias in registry.aliases())
    return [line for line in configured if line.supports_calls and not consent.refusal(conversation.customer, line)]


def call(*, actor: Employee, conversation: Conversation, channel: str, key: str) -> bool:
    """Have the carrier call ``actor`` and then the customer. ``key`` identifies one click.

    Return False if this click was already handled. Raise NotPermitted, or InvalidMessage with text for the employee if
    the customer can't be called or the carrier refuses.
    """
    if not permissions.may_write(actor, conversation):
        raise NotPermitted(_("You can't write in this conversation."))
    if channel not in registry.aliases():
        raise InvalidMessage(_("There is no such telephone line."), field="channel")
    line = registry.channel(channel)
    refusal = consent.refusal(conversation.customer, line)
    if not line.supports_calls or refusal:
        words = refusal or _("%(channel)s can't make calls.") % {"channel": line.verbose_name}
        raise InvalidMessage(words, field="channel")
    address = consent.address_for(conversation.customer, line)
    call_id = uuid5(conversation.pk, f"{actor.pk}:{key}")
    if not _asked_once(actor, conversation, line, call_id):
        return False
    try:
        receipt = line.call(
            PhoneCall(
                call_id=str(call_id),
                to_address=address.value if address is not None else "",
                employee_key=actor.key,
                employee_name=actor.name,
                language=actor.language,
            )
        )
    except Exception as error:
        if not isinstance(error, ChannelError):
            logger.exception("Channel %s failed to place call %s", line.alias, call_id)
        _note(conversation, call_id, "call.refused", details={"error": str(error)[:500]})
        raise InvalidMessage(_words(error), field="channel") from error
    _note(conversation, call_id, "call.placed", data={"carrier_id": receipt.carrier_id})
    return True


def _asked_once(actor: Employee, conversation: Conversation, line: Channel, call_id: UUID) -> bool:
    """Record the request unless this click is already recorded, since a double click must not place two calls.

    Return whether the request was recorded.
    """
    press = f"asked:{call_id}"
    with insert_once(lambda: seen(line.alias, press)) as insertion:
        note_seen(line.alias, press)
        record_event(
            kind=calls.ASKED,
            subject_type="call",
            subject_id=call_id,
            by=actor,
            conversation=conversation,
            data={"channel": line.alias},
        )
    return insertion.is_first


def _note(
    conversation: Conversation,
    call_id: UUID,
    kind: str,
    *,
    data: dict[str, str] | None = None,
    details: dict[str, str] | None = None,
) -> None:
    record_event(
        kind=kind,
        subject_type="call",
        subject_id=call_id,
        actor_type=Event.ActorType.CARRIER,
        conversation=conversation,
        data=data,
        details=details,
    )


def _words(error: Exception) -> str:
    if isinstance(error, ChannelError) and error.permanent:
        return _("The call can't be made. Ask your administrator whether your phone number is registered.")
    if isinstance(error, ChannelError) and error.uncertain:
        return _("The phone carrier did not answer. If your phone does not ring, try again in a minute.")
    return _("The phone carrier can't place calls right now. Try again in a minute.")
