"""Serve an attachment: to staff who may read its message, to the customer of the conversation, to carriers.

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
    """The attachment as a download, with headers that let a browser only save it or display it as an image.

    Raises Http404 if the file is missing in the storage.
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
    """The type to serve: the declared one if it is a known one that browsers don't run, else that of any bytes.

    A carrier declares what its customer does: ``image/png"><script>`` too.
    """
    if content_type == "text/plain":
        return "text/plain; charset=utf-8"
    return content_type if content_type in sniffing.ENDINGS else sniffing.UNKNOWN
