"""A channel that stores messages in memory, for the host project's tests. Not for production (W003)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Warning
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.channels.address_kinds import EMAIL
from crm_contact_guard.channels.base import Channel, DeliveryStatus, OutboundMessage, Receipt
from crm_contact_guard.exceptions import ChannelError


class MemoryChannel(Channel):
    """A channel whose ``MemoryChannel.sent`` lists all messages, newest last.

    Tests clear that list. They may also append exceptions to ``errors``, which ``send`` raises one after the other.
    """

    address_kind = EMAIL
    verbose_name = _("In memory")
    needs_address = False
    supports_idempotency = True

    sent: ClassVar[list[OutboundMessage]] = []
    errors: ClassVar[list[ChannelError]] = []

    def send(self, message: OutboundMessage) -> Receipt:
        if self.errors:
            raise self.errors.pop(0)
        if all(earlier.message_id != message.message_id for earlier in self.sent):
            self.sent.append(message)
        return Receipt(status=DeliveryStatus.SENT, carrier_id=f"memory-{message.message_id}")

    def check(self) -> Iterator[CheckMessage]:
        if not django_settings.DEBUG:
            yield Warning(f"Channel {self.alias!r} keeps messages in memory only", id="crm_contact_guard.W003")
