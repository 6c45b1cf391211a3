"""What stands in a message's text for what is no text, so that a thread can be read without its files."""

from __future__ import annotations

from django.utils.translation import gettext as _


def of_file(content_type: str, name: str = "") -> str:
    """A file that came without a word."""
    if content_type == "image/webp" and not name:
        return _("[Sticker]")
    kind = content_type.partition("/")[0]
    known = {"image": _("[Image]"), "video": _("[Video]"), "audio": _("[Voice message]")}
    return known.get(kind) or _("[File: %s]") % (name or content_type or "?")


def of_place(*parts: object) -> str:
    """A place on the map: its name and address where they are told, and its coordinates last."""
    return _("[Location: %s]") % ", ".join(str(part) for part in parts if part)


def of_unreadable(kind: str) -> str:
    """Something that the carrier or we can't show."""
    return _("[A message that can't be shown here: %s]") % kind
