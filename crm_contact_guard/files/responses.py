"""Serve attachments to staff who may read the message, to the conversation's customer and to carriers.

Attachments are untrusted, so they are always served as downloads and with headers that stop browsers from running them.
"""

from __future__ import annotations

from django.http import Http404
from django.utils.cache import patch_cache_control

from crm_contact_guard.files import sniffing, storage
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.hosting.content_policy import file_policy
from crm_contact_guard.hosting.downloads import Download


def hand_out(attachment: Attachment) -> Download:
    """Return the attachment as a download, with headers that let a browser only save it or display it as an image.

    Raise Http404 if the file is missing from the storage.
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
    """Return the content type to serve.

    This is the declared type if it is one of the known types, which browsers don't run, or else
    ``application/octet-stream``. Carriers pass on what a customer declared, which may be ``image/png"><script>``.
    """
    if content_type == "text/plain":
        return "text/plain; charset=utf-8"
    return content_type if content_type in sniffing.ENDINGS else sniffing.UNKNOWN
