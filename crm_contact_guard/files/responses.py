"""A file as a response: to staff who may read its message, to the customer who sent or got it, to carriers.

Always as a download that no browser runs: a stranger's file is hostile until proven otherwise.
"""

from __future__ import annotations

from django.http import Http404
from django.utils.cache import patch_cache_control

from crm_contact_guard.files import storage
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.hosting.content_policy import file_policy
from crm_contact_guard.hosting.downloads import Download


def hand_out(attachment: Attachment) -> Download:
    """The file with headers that keep browsers from doing anything with it but saving it, or showing a picture.

    Raises Http404 when the storage has lost it.
    """
    try:
        stream = storage.backend().open(attachment.stored_as)
    except FileNotFoundError as error:
        raise Http404 from error
    response = Download(
        stream, as_attachment=True, filename=attachment.name, content_type=_served_as(attachment.content_type)
    )
    response["Content-Length"] = str(attachment.size)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = file_policy()
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    patch_cache_control(response, private=True, no_store=True)
    return response


def _served_as(content_type: str) -> str:
    """Types that no browser runs keep their name; whatever else a stranger claims is just bytes."""
    harmless = content_type in ("application/pdf", "text/plain") or (
        content_type.startswith(("image/", "audio/", "video/")) and "xml" not in content_type
    )
    if content_type == "text/plain":
        return "text/plain; charset=utf-8"
    return content_type if harmless else "application/octet-stream"
