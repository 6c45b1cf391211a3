"""A channel's current limits on length, files and the session window, shown before sending and enforced on sending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.channels.base import Channel, FileIn
from crm_contact_guard.conf import settings
from crm_contact_guard.delivery import consent
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.files import uploads
from crm_contact_guard.policy import templates
from crm_contact_guard.record.models import Conversation, Direction, Message


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a conversation on a channel.

    * ``window_ends_at``: when the carrier stops accepting free text. None if there is no limit or no open window.
    * ``window_open``: whether free text is allowed now.
    * ``refusal``: why nothing can be sent, as text; empty if something can be sent.
    """

    max_length: int
    max_files: int
    max_file_bytes: int
    window_ends_at: datetime | None
    window_open: bool
    refusal: str


def most_characters(carrier: Channel | None) -> int:
    """Return the maximum length of a text, as counted by the carrier (``Channel.length``)."""
    return min(limit for limit in (int(settings.MAX_TEXT_LENGTH), carrier.max_length if carrier else None) if limit)


def limits(conversation: Conversation, carrier: Channel) -> Limits:
    """Return the current limits of the conversation on the channel."""
    ends = window_ends(conversation, carrier)
    return Limits(
        max_length=most_characters(carrier),
        max_files=uploads.max_number(carrier),
        max_file_bytes=uploads.max_bytes(carrier),
        window_ends_at=ends,
        window_open=carrier.session_window is None or (ends is not None and ends > timezone.now()),
        refusal=consent.refusal(conversation.customer, carrier),
    )


def window_ends(conversation: Conversation, carrier: Channel) -> datetime | None:
    """Return when the carrier stops accepting free text. None if it never does, or if no window has been opened.

    Only a message from the customer on this channel opens a window.
    """
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
    """Raise InvalidMessage if the text is too long, or if it is empty and there are no files."""
    if not text.strip() and not files:
        raise InvalidMessage(_("The message is empty."))
    maximum, length = most_characters(carrier), carrier.length(text) if carrier else len(text)
    if length > maximum:
        raise InvalidMessage(
            _("The message has %(has)d characters; at most %(most)d are allowed here.")
            % {"has": length, "most": maximum}
        )


def check_channel(
    conversation: Conversation, carrier: Channel, *, files: Sequence[FileIn] = (), filled: templates.Filled | None
) -> None:
    """Raise InvalidMessage for text or files that the carrier doesn't accept, or not outside its session window."""
    if not carrier.supports_text:
        raise InvalidMessage(_("%(channel)s can't send messages.") % _named(carrier), field="channel")
    uploads.check(files, carrier)
    ends = window_ends(conversation, carrier)
    if carrier.session_window is None or (ends is not None and ends > timezone.now()):
        return
    template = templates.find(filled.name) if filled is not None else None
    if template is None or filled is None or not template.carrier_id(carrier.alias, filled.language):
        hours = carrier.session_window // timedelta(hours=1)
        raise InvalidMessage(
            _(
                "%(channel)s accepts free text only for %(hours)d hours after the customer's last message. "
                "Choose a text block approved by the carrier, or another channel."
            )
            % {**_named(carrier), "hours": hours},
            field="template",
        )
    if files:
        raise InvalidMessage(
            _("Files can't be sent with a text block on %(channel)s.") % _named(carrier), field="files"
        )


def _named(carrier: Channel) -> dict[str, object]:
    return {"channel": carrier.verbose_name}
