"""Cases over the API: the steps with their values, and what the employee is not told."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from crm_contact_guard.record.models import Event
from tests.api.conftest import Hotel
from tests.supervision.cases.scene import FIGURES, RULES


@pytest.fixture(autouse=True)
def rules(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "WORK_RULES": RULES}


def opened(hotel: Hotel) -> str:
    body = {"sort": "conduct", "concerned": str(hotel.people["aoi"].pk), "acted_at": "2026-11-01T10:00:00Z"}
    response = hotel.call("sora", "POST", "cases/", body)
    assert response.status_code == 201, response.content
    return str(response.json()["id"])


def step(hotel: Hotel, who: str, case: str, action: str, **values: Any) -> Any:
    response = hotel.call(who, "POST", f"cases/{case}/steps/", {"action": action, **values})
    return response.status_code, response.json()


def heard(hotel: Hotel) -> str:
    case = opened(hotel)
    now = timezone.now().isoformat()
    yui = str(hotel.people["yui"].pk)
    assert step(hotel, "sora", case, "participant_add", person=yui, part="approver")[0] == 200
    assert step(hotel, "sora", case, "tell", text="You gave your number.")[0] == 200
    assert step(hotel, "sora", case, "hear", text="She regrets it.", occurred_at=now)[0] == 200
    return case


def test_a_pay_cut_over_the_api(hotel: Hotel) -> None:
    case = heard(hotel)

    refused = step(hotel, "sora", case, "propose", outcome="pay_cut", reason="Again", terms={**FIGURES, "cuts": [5000]})
    assert refused[0] == 400
    assert refused[1]["errors"][0]["field"] == "cuts"
    assert "4891" in refused[1]["detail"]
    assert step(hotel, "sora", case, "propose", outcome="pay_cut", reason="Again", terms=FIGURES)[0] == 200
    own = hotel.call("aoi", "GET", f"cases/{case}/").json()
    assert (own["state"], own["outcome"], own["reason"], own["terms"]) == ("hearing", None, "", {})
    assert step(hotel, "sora", case, "approve")[0] == 403
    assert step(hotel, "yui", case, "approve")[0] == 200
    status, decided = step(hotel, "sora", case, "decide")
    assert (status, decided["state"], decided["terms"]["instalments"]) == (200, "decided", [[4891, 30000]])
    status, objected = step(hotel, "aoi", case, "appeal", text="Too hard")
    assert (status, objected["state"]) == (200, "appealed")


def test_a_step_at_the_wrong_time_is_a_problem(hotel: Hotel) -> None:
    case = opened(hotel)

    status, problem = step(hotel, "sora", case, "decide")

    assert (status, problem["type"]) == (409, "urn:crm-contact-guard:problem:not-possible")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"action": "note"}, "text"),
        ({"action": "note", "text": "x", "outcome": "coaching"}, "outcome"),
        ({"action": "nothing"}, "action"),
        ({"action": "evidence_add"}, "conversation"),
        ({"action": "evidence_add", "alert": "00000000-0000-7000-8000-000000000000"}, "alert"),
        ({"action": "participant_add", "person": "00000000-0000-7000-8000-000000000000", "part": "lead"}, "person"),
        ({"action": "note", "text": "x", "colour": "red"}, "colour"),
    ],
)
def test_wrong_values_are_named(hotel: Hotel, values: dict[str, Any], field: str) -> None:
    case = opened(hotel)
    before = Event.objects.count()

    response = hotel.call("sora", "POST", f"cases/{case}/steps/", values)

    assert response.status_code == 400
    assert field in {each["field"] for each in response.json()["errors"]}
    assert Event.objects.count() == before


def test_alerts_and_conversations_become_evidence(hotel: Hotel) -> None:
    case = opened(hotel)

    status, body = step(hotel, "sora", case, "evidence_add", conversation=str(hotel.talk.pk))

    assert (status, [one["conversation"] for one in body["evidence"]]) == (200, [str(hotel.talk.pk)])
    assert step(hotel, "sora", case, "evidence_add", conversation=str(hotel.other_talk.pk))[0] == 400


def test_an_officer_joins_and_every_reading_is_recorded(hotel: Hotel) -> None:
    case = opened(hotel)
    assert hotel.call("kai", "GET", f"cases/{case}/").status_code == 404
    assert step(hotel, "kai", case, "note", text="x")[0] == 404

    status, body = step(hotel, "kai", case, "join", reason="Sora asked me to")
    assert (status, body["part"]) == (200, "member")
    hotel.call("kai", "GET", f"cases/{case}/")

    assert Event.objects.filter(kind="view.case", subject_id=case, actor=str(hotel.people["kai"].pk)).count() == 1


def test_the_list_can_not_be_filtered_by_what_is_being_prepared(hotel: Hotel) -> None:
    heard(hotel)

    assert hotel.call("aoi", "GET", "cases/?state=proposed").status_code == 400
    assert len(hotel.call("aoi", "GET", "cases/?sort=conduct").json()["results"]) == 1
    assert not hotel.call("aoi", "GET", "cases/?sort=protection").json()["results"]
