"""Convert a message to LINE's message objects (developers.line.biz/en/reference/messaging-api/#message-objects)."""

from __future__ import annotations

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from linebot.v3.messaging import ImageMessage, Message, TextMessage

from crm_contact_guard.channels.base import OutboundFile, OutboundMessage
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.hosting.languages import speaking

_IMAGES = ("image/jpeg", "image/png")
#: Limit for the preview, which uses the same image. (Originals may have 10 MB.) Larger images are sent as links.
_MAX_IMAGE_BYTES = 1_000_000
_MAX_OBJECTS = 5


def message_objects(message: OutboundMessage, *, with_notice: bool) -> list[Message]:
    """Return the recording notice (before a conversation's first message), text, images, and links to other files.

    Raises ChannelError for a file without a public https URL, since LINE fetches files itself.
    """
    objects: list[Message] = []
    if with_notice and message.notice and not message.references:
        objects.append(TextMessage(text=message.notice))
    if message.text:
        objects.append(TextMessage(text=message.text))
    links = []
    for file in message.files:
        if not file.url.startswith("https://"):
            raise ChannelError(
                f"LINE fetches files over https only; PUBLIC_URL gives no https URL for {file.name}", permanent=True
            )
        if file.content_type in _IMAGES and file.size <= _MAX_IMAGE_BYTES:
            objects.append(ImageMessage(original_content_url=file.url, preview_image_url=file.url))
        else:
            links.append(file)
    if links:
        objects.append(TextMessage(text=_link_block(links, message.language)))
    if message.possible_duplicate and len(objects) < _MAX_OBJECTS:
        with speaking(message.language):
            objects.insert(0, TextMessage(text=_("(You may have this message already.)")))
    return objects


def _link_block(files: list[OutboundFile], language: str) -> str:
    with speaking(language):
        lines = [f"{file.name} ({filesizeformat(file.size)})\n{file.url}" for file in files]
        return "\n".join((_("Files for you (the links expire):"), *lines)).replace("\xa0", " ")
