"""Consultations over the API: asking, answering, ending, and what nobody else learns."""

from __future__ import annotations

from uuid import uuid4

from crm_contact_guard.supervision.consulting.models import Consultation
from tests.api.conftest import Hotel


def test_from_asking_to_the_end(hotel: Hotel) -> None:
    said = hotel.talk.messages.get()
    asked = {"conversation": str(hotel.talk.pk), "words": "He shouts.", "messages": [str(said.pk)], "wish": "warn"}
    made = hotel.call("aoi", "POST", "consultations/", asked)
    assert made.status_code == 201
    row = made.json()
    assert (row["employee"]["name"], row["addressee"]["name"], row["wish"]) == ("Aoi", "Sora", "warn")
    assert row["messages"] == [str(said.pk)]
    assert [step["reason"] for step in row["history"]] == ["He shouts."]

    path = f"consultations/{row['id']}/"
    answered = hotel.call(
        "sora", "POST", f"{path}reply/", {"text": "I'll call.", "follow_up_at": "2099-01-01T00:00:00Z"}
    )
    assert answered.json()["follow_up_at"].startswith("2099-01-01")
    assert hotel.call("aoi", "POST", f"{path}close/", {"result": "warned"}).status_code == 403
    closed = hotel.call("sora", "POST", f"{path}close/", {"result": "warned", "text": "Done."}).json()
    assert (closed["status"], closed["result"]) == ("closed", "warned")
    assert hotel.call("sora", "POST", f"{path}close/", {"result": "advised"}).status_code == 409
    found = hotel.call("aoi", "GET", "consultations/?status=closed&result=warned").json()["results"]
    assert [one["id"] for one in found] == [row["id"]]
    assert hotel.call("aoi", "GET", "consultations/?status=open").json()["results"] == []


def test_one_for_compliance_is_hidden_from_the_supervisor(hotel: Hotel) -> None:
    asked = {"conversation": str(hotel.talk.pk), "to_compliance": True}
    key = hotel.call("aoi", "POST", "consultations/", asked).json()["id"]

    for name in ("sora", "yui", "mei"):
        assert hotel.call(name, "GET", f"consultations/{key}/").status_code == 404
        assert hotel.call(name, "GET", "consultations/").json()["results"] == []
    assert hotel.call("kai", "GET", f"consultations/{key}/").status_code == 200


def test_wrong_input_is_named(hotel: Hotel) -> None:
    talk = str(hotel.talk.pk)
    for wrong, field in (
        ({"conversation": talk, "wish": "revenge"}, "wish"),
        ({"conversation": talk, "words": "x" * 4001}, "words"),
        ({"conversation": talk, "messages": [str(uuid4())]}, "messages"),
        ({"conversation": talk, "messages": ["x"]}, "messages"),
        ({"conversation": talk, "word": "x"}, "word"),
        ({}, "conversation"),
    ):
        answer = hotel.call("aoi", "POST", "consultations/", wrong)
        assert answer.status_code == 400
        assert field in str(answer.json()["errors"])
    assert hotel.call("aoi", "POST", "consultations/", {"conversation": str(uuid4())}).status_code == 404
    assert not Consultation.objects.exists()
