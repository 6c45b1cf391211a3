"""Requests that schemathesis makes up from the published schema, as every role: no answer but those described.

Run by ``make schema-cases``, since it takes minutes. Half of the requests are as described and half are not. Most paths
name a row that exists, so that few end at 404.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.api.conftest import API, Hotel, bearer
from tests.api.test_matrix import address

_CASES = int(os.environ["CONTACT_GUARD_SCHEMA_CASES"])
pytestmark = [
    # schemathesis doesn't close the answers that are files, as a server does.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]
ROLES = ("aoi", "ren", "sora", "hina", "kai", "rio", "nobody")
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance",
)  # fmt: skip


#: The row that a path names, by its beginning.
ROWS = {
    "conversations/": "{talk}", "messages/": "{message}", "alerts/": "{alert}", "cases/": "{case}", "holds/": "{held}",
    "exports/": "{export}", "files/": "{file}", "consultations/": "{asked}", "rules/": "{rules}",
    "ledger/proof/": "{message}", "employees/": "{aoi}",
}  # fmt: skip


@dataclass
class Tally:
    """The answers by their status, and the faults with the number of times that each was found."""

    codes: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def take(self, case: Any, response: Any) -> None:
        """Check an answer."""
        self.codes[response.status_code] += 1
        try:
            case.validate_response(response, checks=[schemathesis.checks.CHECKS.get_one(name) for name in CHECKS])
        except (AssertionError, BaseExceptionGroup) as error:
            for fault in getattr(error, "exceptions", [error]):
                first = str(getattr(fault, "message", "") or fault).strip().splitlines()[:3]
                self.faults[f"{case.operation.label} {response.status_code} {type(fault).__name__}: {first}"] += 1


@pytest.mark.timeout(0)
@pytest.mark.parametrize("role", ROLES)
def test_no_answer_is_outside_the_schema(hotel: Hotel, role: str, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "API_REQUESTS_PER_MINUTE": 0}
    rows = {start: address(hotel, row) for start, row in ROWS.items()}
    headers = {} if role == "nobody" else bearer(hotel.people[role])
    schema = schemathesis.openapi.from_wsgi(f"{API}schema/", get_wsgi_application())
    tally = Tally()
    operations = [result.ok() for result in schema.get_all_operations()]
    for operation in operations:
        row = next((row for start, row in rows.items() if operation.path.removeprefix(API).startswith(start)), None)
        for mode in schemathesis.GenerationMode:
            _try(operation.as_strategy(generation_mode=mode), headers, row, tally)
    told = "\n".join(f"{count} x {fault}" for fault, count in tally.faults.most_common())
    answers = dict(sorted(tally.codes.items()))
    print(f"{role}: {tally.codes.total()} cases of {len(operations)} operations: {answers}\n{told}")
    assert not tally.faults, told


def _try(cases: Any, headers: dict[str, str], row: str | None, tally: Tally) -> None:
    @seed(15)
    @settings(
        max_examples=_CASES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def one(case: Any) -> None:
        if case.path_parameters and row and tally.codes.total() % 4:
            case.path_parameters = {**case.path_parameters, **dict.fromkeys(case.path_parameters, row)}
        tally.take(case, case.call(headers=headers))

    one()
