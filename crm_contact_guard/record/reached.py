"""Leave out messages that never reached the customer: they wait, or they were kept back before they went.

Whatever asks what was said to the customer (quotes, threads, who waits for an answer) must not count them.
"""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet

from crm_contact_guard.record.models import Message

#: States of a delivery (``delivery.models.Delivery.State``) in which nothing was handed to a carrier.
UNSENT: Final = ("waiting", "held", "recalled", "returned", "rejected", "expired")


def reached(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Return the messages without those that never went out."""
    return messages.exclude(delivery__state__in=UNSENT)
