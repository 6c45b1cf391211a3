"""Letters to the concerned employee, rendered from templates that the company can override.

Templates are text: ``crm_contact_guard/letters/<kind>.<language>.txt``. The record keeps the text and its digest.
"""

from __future__ import annotations

import hashlib
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings
from django.template.loader import select_template
from django.utils import timezone, translation

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import languages
from crm_contact_guard.policy import hours
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.supervision.cases import pay_terms
from crm_contact_guard.supervision.cases.models import Case, CaseEntry, CaseLetter
from crm_contact_guard.supervision.cases.outcomes import words
from crm_contact_guard.supervision.cases.steps import record
from crm_contact_guard.supervision.cases.telling import letter_tell

_FOLDER: Final = "crm_contact_guard/letters"


def issue(case: Case, author: Employee, kind: str) -> CaseLetter:
    """Write a letter of this kind in the employee's language, store it with its digest, and tell the employee."""
    language = _language(case)
    text = rendered(case, kind, language)
    letter = CaseLetter.objects.create(
        case=case,
        kind=kind,
        version=case.letters.filter(kind=kind).count() + 1,
        language=language,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        created_by=author,
        created_at=timezone.now(),
    )
    record(case, author, "case_letter.issued", letter)
    letter_tell(letter)
    return letter


def rendered(case: Case, kind: str, language: str) -> str:
    """Return the text of a letter about a case in one language."""
    answer = case.entries.filter(kind=CaseEntry.Kind.ANSWER).order_by("created_at").last()
    zone: ZoneInfo | None = hours.zone(case.concerned) if case.concerned is not None else None
    with translation.override(language), timezone.override(zone):
        template = select_template([f"{_FOLDER}/{kind}.{language}.txt", f"{_FOLDER}/{kind}.en.txt"])
        context = {
            "company": settings.company_name,
            "case": case,
            "employee": case.concerned,
            "today": timezone.localtime(),
            "outcome": words(case.outcome),
            "terms": pay_terms.shown(case),
            "answer": answer.text if answer is not None else "",
        }
        lines = template.render(context).strip().splitlines()
    return canonical_text("\n".join(line.rstrip() for line in lines) + "\n")


def _language(case: Case) -> str:
    own = case.concerned.language if case.concerned is not None else ""
    return languages.spoken(own, django_settings.LANGUAGE_CODE).split("-", maxsplit=1)[0]
