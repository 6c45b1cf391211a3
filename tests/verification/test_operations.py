"""No false alarm: verification holds after any honest operations, merges, erasures and syncs included.

A run draws 300; ``make operations`` draws 100,000 others (``CONTACT_GUARD_OPERATIONS`` sets the number).
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db import transaction

from crm_contact_guard.verification.whole_record import verify
from tests.verification.operations import Company, Merging

CI = 300
NUMBER = int(os.environ.get("CONTACT_GUARD_OPERATIONS", CI))
#: Operations of one company, and between two verifications.
LIFE, STEPS = 500, 50

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(0)]


def test_verification_holds_after_honest_operations(settings: Any, tmp_path: Any, mailoutbox: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CRM_ADAPTER": f"{Merging.__module__}.Merging"}
    first = int(os.environ.get("CONTACT_GUARD_OPERATIONS_SEED", "0"))
    done = 0
    for seed in range(first, first + max(1, NUMBER // LIFE)):
        with transaction.atomic():
            Merging.merged = {}
            company = Company(seed)
            for _ in range(min(LIFE, NUMBER) // STEPS):
                company.live(STEPS)
                report = verify(file_contents=True)
                assert report.holds, (seed, company.number, list(map(str, report.faults)))
            done += company.done.total()
            assert len(company.done) > 20, company.done
            transaction.set_rollback(True)
    print(f"{done} operations, of the last company: {dict(company.done)}")
