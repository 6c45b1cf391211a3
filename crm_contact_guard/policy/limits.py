"""What a channel allows right now, told before sending and checked when sending: length, files, session window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.channels.base import Channel, FileIn
from crm_contact_guard.conf import settings
from crm_contact_guard.delivery import consent
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.policy import templates
from crm_contact_guard.record.models import Conversation, Direction, Message


@dataclass(frozen=True, kw_only=True)
class Limits:
    """``window_ends_at``: until when free text is allowed, None for always; ``window_open`` whether it is now.

    ``refusal``: why nothing at all can be sent, in words; empty when something can.
    """

    max_length: int
    max_files: int
    max_file_bytes: int
    window_ends_at: datetime | None
    window_open: bool
    refusal: str


def most_characters(carrier: Channel | None) -> int:
    """The longest text, as the carrier counts (``Channel.length``)."""
    return min(limit for limit in (int(settings.MAX_TEXT_LENGTH), carrier.max_length if carrier else None) if limit)


def limits(conversation: Conversation, carrier: Channel) -> Limits:
    """What can be sent in the conversation over the channel now."""
    ends = window_ends(conversation, carrier)
    bytes_each = min(limit for limit in (int(settings.MAX_FILE_BYTES), carrier.max_file_bytes) if limit)
    links_missing = carrier.files_by_link and not settings.PUBLIC_URL
    return Limits(
        max_length=most_characters(carrier),
        max_files=carrier.max_files if carrier.supports_files and not links_missing else 0,
        max_file_bytes=bytes_each,
        window_ends_at=ends,
        window_open=carrier.session_window is None or (ends is not None and ends > timezone.now()),
        refusal=consent.refusal(conversation.customer, carrier),
    )


def window_ends(conversation: Conversation, carrier: Channel) -> datetime | None:
    """When the carrier stops taking free text; None: it always takes it, or the customer never wrote over it."""
    if carrier.session_window is None:
        return None
    last = (
        Message.objects.filter(
            conversation__customer=conversation.customer_id, channel=carrier.alias, direction=Direction.INBOUND
        )
        .order_by("-occurred_at")
        .values_list("occurred_at", flat=True)
        .first()
    )
    return last + carrier.session_window if last is not None else None


def check_text(text: str, carrier: Channel | None, *, files: Sequence[FileIn] = ()) -> None:
    """Raises InvalidMessage for a text that is empty (unless files go with it) or too long."""
    if not text.strip() and not files:
        raise InvalidMessage(_("The message is empty."))
    most, has = most_characters(carrier), carrier.length(text) if carrier else len(text)
    if has > most:
        raise InvalidMessage(
            _("The message has %(has)d characters; at most %(most)d are possible here.") % {"has": has, "most": most}
        )


def check_channel(
    conversation: Conversation, carrier: Channel, *, files: Sequence[FileIn] = (), filled: templates.Filled | None
) -> None:
    """Raises InvalidMessage for what the carrier would not take: no text at all, files, free text out of its window."""
    if not carrier.supports_text:
        raise InvalidMessage(_("%(channel)s carries no messages.") % _named(carrier), field="channel")
    if files and not carrier.supports_files:
        raise InvalidMessage(_("%(channel)s carries no files.") % _named(carrier), field="files")
    ends = window_ends(conversation, carrier)
    if carrier.session_window is None or (ends is not None and ends > timezone.now()):
        return
    template = templates.find(filled.name) if filled is not None else None
    if template is None or filled is None or not template.carrier_id(carrier.alias, filled.language):
        hours = int(carrier.session_window.total_seconds() // 3600)
        raise InvalidMessage(
            _(
                "%(channel)s takes free text only for %(hours)d hours after the customer's last message. "
                "Choose a text block that it has approved, or another channel."
            )
            % {**_named(carrier), "hours": hours},
            field="template",
        )
    if files:
        raise InvalidMessage(_("Files can't go with a text block on %(channel)s.") % _named(carrier), field="files")


def _named(carrier: Channel) -> dict[str, object]:
    return {"channel": carrier.verbose_name}
