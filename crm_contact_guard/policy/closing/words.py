"""The text of an automatic answer, in the customer's language and time zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings as django_settings
from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.hosting.languages import speaking
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.closing.options import Texts
from crm_contact_guard.policy.closing.urgent import Told

#: Scripts that are written in one language only.
_SCRIPTS = {"ja": re.compile(r"[ぁ-ゖァ-ヺｦ-ﾝ]"), "ko": re.compile(r"[가-힣]"), "th": re.compile(r"[ก-ฮ]")}
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]{2}")
#: Number of characters of the customer's text that are looked at.
_MOST = 2000


def language_of(customer: Customer, text: str) -> str:
    """Return the customer's language, or else the one whose script ``text`` is written in, or else the project's."""
    if customer.language:
        return customer.language
    text = text[:_MOST]
    for language, script in _SCRIPTS.items():
        if script.search(text):
            return language
    # Chinese characters alone could be Japanese or Chinese.
    return "en" if _LATIN.search(text) and not _HAN.search(text) else django_settings.LANGUAGE_CODE


def answer_text(
    texts: Texts, *, customer: Customer, language: str, opens_at: datetime | None, told: Told | None = None
) -> str:
    """Return the answer's text. ``told``: who was told of an urgent message.

    The opening is in the customer's time zone, or else the project's.
    """
    with speaking(language):
        opens = _("our next working day")
        if opens_at is not None:
            local = opens_at.astimezone(hours.zone_named(customer.timezone))
            opens = dateformat.format(local, pgettext("date and time of an opening", "l, F j, H:i (T)"))
        if told is not None and told.on_call:
            called = _(
                "Thank you for your message. We have told somebody who is on call.\n\n"
                "This is an automatic reply from %(company)s."
            )
            return _joined(called % {"company": settings.company_name}, _chosen(texts.emergency, language))
        nobody = _("Nobody is on call at the moment.") if told is not None else ""
        text = _chosen(texts.answer, language) or _(
            "Thank you for your message. Nobody is here at the moment. We will answer you from {opens}.\n\n"
            "This is an automatic reply from {company}."
        )
        # A text of the company may contain braces of its own.
        text = text.replace("{opens}", opens).replace("{company}", settings.company_name)
    return _joined(text, nobody, _chosen(texts.emergency, language))


def _joined(*parts: str) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip())


def answer_subject(subject: str | None, language: str) -> str | None:
    """Return the subject of the answer to an email (RFC 3834 §3.1.5); None if the email has none."""
    if not subject:
        return None
    with speaking(language):
        return _("Automatic reply: %(subject)s") % {"subject": subject[:200]}


def _chosen(texts: Mapping[str, str], language: str) -> str:
    """Return the text in the language, or in its base language, or in English; "" if there is none of these."""
    for wanted in (language, language.replace("_", "-").split("-", maxsplit=1)[0].lower(), "en"):
        if wanted in texts:
            return str(texts[wanted])
    return ""
