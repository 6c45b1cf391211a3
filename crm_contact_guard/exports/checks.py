"""The system check of the fonts for PDF files."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from crm_contact_guard.conf import settings
from crm_contact_guard.exports.formats import fonts


@register("crm_contact_guard")
def check_pdf_fonts(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """E064: a font in ``PDF_FONTS`` can't be used, or none has Japanese characters."""
    if settings.PDF_FONTS:
        hint = "See docs/guide_auditor.md, Export."
        return [Error(problem, hint=hint, id="crm_contact_guard.E064") for problem in fonts.problems()]
    return []


@register("crm_contact_guard", deploy=True)
def check_pdf(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """W011: transcripts in PDF are not offered, because no font was found. Only with ``check --deploy``."""
    if settings.PDF_FONTS or find_spec("typst") is None or fonts.files():
        return []
    hint = 'Install Noto Sans CJK (Debian: fonts-noto-cjk), or set CONTACT_GUARD["PDF_FONTS"].'
    return [Warning("No font for PDF transcripts was found", hint=hint, id="crm_contact_guard.W011")]
