"""The rules in the reader's language, and who has signed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting.languages import spoken
from crm_contact_guard.policy.known_rules.models import Acknowledgement, RulesVersion
from crm_contact_guard.policy.known_rules.publishing import applying
from crm_contact_guard.policy.known_rules.rights import signers


@dataclass(frozen=True)
class Signature:
    """Whether one person has signed. How often the quiz was tried isn't shown to anybody else."""

    employee: Employee
    signed_at: datetime | None
    quiz_passed: bool


def _is_japanese(version: RulesVersion) -> bool:
    wanted = spoken().startswith("ja")
    complete = {True: version.title_ja and version.text_ja, False: version.title and version.text}
    return wanted if complete[wanted] else not wanted


def title_of(version: RulesVersion) -> str:
    """Return the title in the active language, or else in the other one."""
    return version.title_ja if _is_japanese(version) else version.title


def text_of(version: RulesVersion) -> str:
    """Return the text in the active language, or else in the other one."""
    return version.text_ja if _is_japanese(version) else version.text


def unsigned(viewer: Employee) -> int:
    """Return how many of the people whose signature the viewer may look up haven't signed the version that applies."""
    version = applying(viewer.tenant, timezone.now()).first()
    if version is None:
        return 0
    signed = Acknowledgement.objects.filter(version=version, signed_at__isnull=False, employee=OuterRef("pk"))
    return signers(viewer).filter(~Exists(signed)).count()


def signatures(viewer: Employee) -> tuple[RulesVersion | None, Sequence[Signature]]:
    """Return the version that applies now, and the people whose signature the viewer may look up, unsigned first."""
    version = applying(viewer.tenant, timezone.now()).first()
    if version is None:
        return None, ()
    people = list(signers(viewer).order_by("name", "pk"))
    rows = Acknowledgement.objects.filter(version=version, employee__in=[person.pk for person in people])
    known = {row.employee_id: row for row in rows}
    found = [
        Signature(
            person,
            row.signed_at if (row := known.get(person.pk)) else None,
            bool(row and row.quiz_passed_at),
        )
        for person in people
    ]
    return version, sorted(found, key=lambda one: one.signed_at is not None)
