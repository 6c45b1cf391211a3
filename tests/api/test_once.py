"""POST requests that are repeated with an ``Idempotency-Key``: nothing is created twice, and nothing is mixed up."""

from __future__ import annotations

from typing import Any

import pytest

from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.tokens.models import Creation
from tests.api.conftest import Hotel
from tests.notices.conftest import verified


def bodies(hotel: Hotel) -> dict[str, tuple[str, type, dict[str, Any], dict[str, Any]]]:
    """For each address: who asks, what is created, a body, and another body."""
    aoi, mei = (str(hotel.people[name].pk) for name in ("aoi", "mei"))
    talk = {"conversation": str(hotel.talk.pk)}
    conduct = {"sort": "conduct", "concerned": aoi}
    return {
        "exports/": ("rio", ExportJob, {"purpose": "Audit"}, {"purpose": "Other"}),
        "cases/": ("sora", Case, conduct, {**conduct, "concerned": mei}),
        "consultations/": ("aoi", Consultation, talk, {**talk, "words": "Help"}),
    }


@pytest.mark.parametrize("path", ["exports/", "cases/", "consultations/"])
def test_a_repeated_request_creates_nothing_more(hotel: Hotel, path: str) -> None:
    who, model, body, other = bodies(hotel)[path]
    before = model.objects.count()
    key = {"Idempotency-Key": "key-1"}
    first = hotel.call(who, "POST", path, body, **key)
    again = hotel.call(who, "POST", path, dict(reversed(body.items())), **key)
    wrong = hotel.call(who, "POST", path, other, **key)

    assert [first.status_code, again.status_code, wrong.status_code] == [201, 200, 422]
    assert first.json()["id"] == again.json()["id"]
    assert wrong.json()["type"].endswith("key-reused")
    assert model.objects.count() == before + 1
    assert hotel.call(who, "POST", path, body, **{"Idempotency-Key": "é"}).status_code == 400
    assert not [fault for fault in verified() if "creation" in fault.lower()]


def test_keys_of_two_people_are_apart_and_a_refused_request_leaves_its_key_free(hotel: Hotel) -> None:
    key = {"Idempotency-Key": "same"}
    assert hotel.call("aoi", "POST", "exports/", {"purpose": "Audit"}, **key).status_code == 403
    assert hotel.call("rio", "POST", "exports/", {"purpose": ""}, **key).status_code == 400
    made = [hotel.call(who, "POST", "exports/", {"purpose": "Audit"}, **key).status_code for who in ("rio", "kai")]
    assert made == [201, 201]
    assert Creation.objects.count() == 2
