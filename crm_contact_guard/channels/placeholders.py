"""Placeholders in a message's text for files, locations and unsupported content."""

from __future__ import annotations

from django.utils.translation import gettext as _


def of_file(content_type: str, name: str = "") -> str:
    """Return a placeholder for a file without text."""
    if content_type == "image/webp" and not name:
        return _("[Sticker]")
    kind = content_type.partition("/")[0]
    labels = {"image": _("[Image]"), "video": _("[Video]"), "audio": _("[Voice message]")}
    return labels.get(kind) or _("[File: %s]") % (name or content_type or "?")


def of_place(*parts: object) -> str:
    """Return a placeholder for a location: its name and address if known, then its coordinates."""
    return _("[Location: %s]") % ", ".join(str(part) for part in parts if part)


def of_unreadable(kind: str) -> str:
    """Return a placeholder for content that the carrier or this app doesn't support."""
    return _("[A message that can't be shown here: %s]") % kind
