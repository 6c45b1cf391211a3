"""What the pages ask of the database does not grow with what they show."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.console.conftest import Hotel, alert_for, says


def looks(hotel: Hotel, who: str, page: str, *args: object) -> list[str]:
    """What the page looks up. Who looked is recorded by an insert of its own."""
    with CaptureQueriesContext(connection) as captured:
        response = hotel.get(who, page, *args)
    assert response.status_code == 200
    return [query["sql"] for query in captured if query["sql"].startswith("SELECT")]


def everywhere(hotel: Hotel, alert: object) -> dict[str, list[str]]:
    pages = {
        "inbox": looks(hotel, "aoi", "inbox"),
        "inbox with a talk": looks(hotel, "aoi", "inbox_conversation", hotel.talk.pk),
        "conversation": looks(hotel, "aoi", "conversation", hotel.talk.pk),
        "conversation of a supervisor": looks(hotel, "chief", "conversation", hotel.talk.pk),
        "dashboard": looks(hotel, "chief", "dashboard"),
        "dashboard of compliance": looks(hotel, "compliance", "dashboard"),
        "queue": looks(hotel, "chief", "alerts"),
        "alert": looks(hotel, "chief", "alert", alert),
        "data_requests": looks(hotel, "compliance", "data_requests"),
        "customer_data": looks(hotel, "compliance", "customer_data", hotel.talk.customer.pk),
    }
    for word in ("inbox_news", "alerts_news"):
        pages[word] = looks(hotel, "chief" if word == "alerts_news" else "aoi", word)
    return pages


def test_one_row_or_a_dozen_the_pages_ask_alike(hotel: Hotel) -> None:
    first = alert_for(hotel.talk, says(hotel.talk, "hello"))
    hotel.send(text="Your room is ready.")
    everywhere(hotel, first.pk)  # what is looked up once a process has been
    few = everywhere(hotel, first.pk)

    for number in range(11):
        says(hotel.talk, f"hello {number}")
        hotel.send(text=f"Your room {number} is ready.")
        talk = factories.conversation(hotel.people["aoi"], name=f"Guest {number}")
        alert_for(talk, says(talk, "hello"))
    many = everywhere(hotel, first.pk)

    assert {page: len(found) for page, found in many.items()} == {page: len(found) for page, found in few.items()}
    assert {page: len(found) for page, found in many.items() if len(found) > 40} == {}
    assert len(many["inbox with a talk"]) <= 30
