"""Tell a customer once, in their language, that their contact is limited, until when, and what stays open.

The message comes from the company, not from an employee.
"""

from __future__ import annotations

from uuid import UUID

from django.utils import dateformat, timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm_contact_guard.channels import registry
from crm_contact_guard.conf import settings
from crm_contact_guard.conversations import lifecycle
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.conversations.restrictions.restricting import record_restriction
from crm_contact_guard.conversations.restrictions.standing import in_force
from crm_contact_guard.delivery import consent, outbox
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import ConfigurationError, InvalidMessage
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.languages import speaking
from crm_contact_guard.policy import hours, limits
from crm_contact_guard.policy.protection import contact
from crm_contact_guard.record.models import AUTO, Direction
from crm_contact_guard.record.recording import record_message


def due(limit: int = 200) -> list[UUID]:
    """Return the IDs of restrictions of which the customer still has to be told."""
    rows = in_force().filter(notice_due=True).order_by("imposed_at")
    return list(rows.values_list("pk", flat=True)[:limit])


@database.atomic()
def restriction_tell(restriction_id: UUID) -> UUID | None:
    """Put the notice into the outbox, and return its ID; None if the customer was told or can't be reached.

    The conditional UPDATE and the notice are one transaction, so the customer is told exactly once.
    """
    if not in_force().filter(pk=restriction_id, notice_due=True).update(notice_due=False):
        return None
    row = Restriction.objects.select_related("conversation__customer").get(pk=restriction_id)
    conversation = row.conversation
    try:
        carrier = registry.channel(conversation.channel)
        address = consent.address_to_write_to(conversation.customer, carrier)
        limits.check_channel(conversation, carrier, filled=None)
    except (InvalidMessage, ConfigurationError):
        # No address, an opt-out, or a closed session window. The supervisor sees that the customer wasn't told.
        record_restriction(row, "restriction.not_told", None)
        return None
    sent = record_message(
        conversation=conversation,
        direction=Direction.OUTBOUND.value,
        channel=carrier.alias,
        occurred_at=timezone.now(),
        text=notice_text(row),
        from_name=settings.company_name,
        to_name=conversation.customer.name,
        to_address=address or None,
        details={"auto_submitted": "auto-generated"},
        source=AUTO,
    )
    row.notice = sent
    row.save(update_fields=["notice"])
    record_restriction(row, "restriction.told", None)
    lifecycle.note_message(conversation, sent)
    outbox.enqueue(sent)
    later("deliver", str(sent.pk))
    return sent.pk


def notice_text(row: Restriction) -> str:
    """Return the notice in the customer's language, with the end in the customer's time zone."""
    customer = row.conversation.customer
    with speaking(customer.language):
        ends = row.ends_at.astimezone(hours.zone_named(customer.timezone))
        values = {
            "company": settings.company_name,
            "until": dateformat.format(ends, pgettext("date of an end", "F j, Y")),
            "channel": _channel(row.channel),
            "most": row.per_day,
        }
        parts = [
            _first(row.kind) % values,
            _("This applies until %(until)s. What you write is recorded, and staff in charge can read it.") % values,
            contact("EMERGENCY", customer.language),
            values["company"],
        ]
    return "\n\n".join(str(part) for part in parts if part)


def _first(kind: str) -> str:
    if kind == Restriction.Kind.BLOCK:
        return _("Thank you for your messages. We are not able to answer them here for some time.")
    if kind == Restriction.Kind.CHANNEL:
        return _("Please write to us by %(channel)s only. We are not able to answer elsewhere for some time.")
    return _("We read your messages, but can attend to no more than %(most)s of them a day for some time.")


def _channel(alias: str) -> str:
    return str(registry.channel(alias).verbose_name) if alias in registry.aliases() else alias
