"""The notice to customers that the conversation is recorded."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.hosting.languages import speaking


def recording_notice(language: str = "") -> str:
    """Return the notice, which says who records the conversation and why, in ``language`` or the active language."""
    with speaking(language):
        return _("This conversation is kept by %(company)s so that we can answer you well and protect both sides.") % {
            "company": settings.company_name
        }
