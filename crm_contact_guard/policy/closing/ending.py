"""The customer ends a talk in the web chat, with a copy by email if they want one.

The copy goes only to an address that the company has of the customer, since anybody who holds the link could ask for
it. It is recorded like an automatic answer, and card numbers and passwords in it are masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel
from crm_contact_guard.conf import settings
from crm_contact_guard.conversations import lifecycle
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.delivery import outbox
from crm_contact_guard.directory.models import Address, Customer
from crm_contact_guard.dispatch import later
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import AUTO, Direction, Event
from crm_contact_guard.record.recording import record_event, record_message

#: The kind of address that a copy goes to.
_KIND: Final = "email"


def copy_address(customer: Customer) -> Address | None:
    """Return the address that a copy of the talk goes to; None if there is none, or no channel that reaches it."""
    if _carrier() is None:
        return None
    return next((row for row in customer.addresses.all() if _is_usable(row)), None)


@database.atomic()
def chat_end(link: ChatLink, said: Sequence[tuple[str, str]], *, copy: bool) -> bool:
    """End the customer's talk: the link works no more. Return whether a copy was sent. Repeating it has no effect.

    ``said``: the lines of the talk, each with its heading and its text as it may be shown. The conversation stays with
    the employee, who may make another link.
    """
    row = ChatLink.objects.select_for_update().select_related("conversation__customer").get(pk=link.pk)
    if row.revoked_at is not None:
        return False
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    record_event(
        kind="chat_link.ended",
        subject_type="chat_link",
        subject_id=row.pk,
        actor_type=Event.ActorType.CUSTOMER,
        conversation=row.conversation,
        row=row,
    )
    address, carrier = copy_address(row.conversation.customer), _carrier()
    if not copy or address is None or carrier is None or not said:
        return False
    _send_copy(row, said, address, carrier)
    return True


def _send_copy(link: ChatLink, said: Sequence[tuple[str, str]], address: Address, carrier: Channel) -> None:
    conversation, now = link.conversation, timezone.now()
    day = date_format(timezone.localtime(now), pgettext("day", "l, j F Y"))
    words = {"company": settings.company_name, "day": day}
    head = _("A copy of your talk with %(company)s, %(day)s:") % words
    parts = [head, *(f"{heading}\n{text}" for heading, text in said)]
    text = "\n\n".join(parts)
    most = min(limit for limit in (settings.MAX_TEXT_LENGTH, carrier.max_length) if limit)
    sent = record_message(
        conversation=conversation,
        direction=Direction.OUTBOUND.value,
        channel=carrier.alias,
        occurred_at=now,
        text=text if len(text) <= most else f"{head}\n\n…{text[len(head) - most + 3 :]}",
        subject=_("Your talk with %(company)s") % words,
        from_name=settings.company_name,
        to_name=conversation.customer.name,
        to_address=address.value,
        details={"auto_submitted": "auto-generated"},
        source=AUTO,
    )
    lifecycle.note_message(conversation, sent)
    outbox.enqueue(sent)
    later("deliver", str(sent.pk))


def _carrier() -> Channel | None:
    channels = (registry.channel(alias) for alias in registry.aliases())
    return next((one for one in channels if one.supports_subject and one.address_kind == _KIND), None)


def _is_usable(row: Address) -> bool:
    return row.kind == _KIND and row.opted_out_at is None and not row.dropped
