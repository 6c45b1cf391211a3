"""Pages, filters, masking, ETags, and the number of queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision.models import Alert
from tests import factories
from tests.api.conftest import Hotel, says


def add(hotel: Hotel, number: int, *, same_time: bool = False) -> list[str]:
    """More messages in Aoi's talk; their ids, oldest first."""
    start = factories.office_time() + timedelta(hours=1)
    rows = [
        factories.recorded(
            hotel.talk,
            f"Line {index}",
            direction="inbound" if index % 2 else "outbound",
            occurred_at=start if same_time else start + timedelta(seconds=index),
        )
        for index in range(number)
    ]
    return [str(row.pk) for row in rows]


def walk(hotel: Hotel, name: str, path: str, link: str = "next") -> tuple[list[str], str]:
    """Ids of all pages, and the address of the last page."""
    found: list[str] = []
    url = path
    while True:
        page = hotel.call(name, "GET", url).json()
        found += [row["id"] for row in page["results"]]
        if page[link] is None:
            return found, url
        url = page[link].partition("/guard/api/v1/")[2]


@pytest.mark.parametrize("same_time", [False, True])
@pytest.mark.parametrize("path", ["messages/", "conversations/{}/messages/"])
def test_pages_give_each_row_once_both_ways(hotel: Hotel, path: str, same_time: bool) -> None:
    first = str(hotel.talk.messages.get().pk)
    ids = [first, *add(hotel, 14, same_time=same_time)]
    if same_time and path != "messages/":
        ids = [first, *sorted(ids[1:])]
    for size in (1, 3, 7, 15, 50):
        url = path.format(hotel.talk.pk) + f"?page_size={size}"

        found, last = walk(hotel, "aoi", url)
        assert found == ids[::-1]

        back = hotel.call("aoi", "GET", last).json()
        seen = [row["id"] for row in back["results"]]
        while back["previous"] is not None:
            back = hotel.call("aoi", "GET", back["previous"].partition("/guard/api/v1/")[2]).json()
            seen = [row["id"] for row in back["results"]] + seen
        assert seen == ids[::-1]

        # The oldest first: as far as the end, and one page back.
        column = "recorded_at" if path == "messages/" else "occurred_at"
        found, last = walk(hotel, "aoi", f"{url}&ordering={column}")
        assert found == ids
        page = hotel.call("aoi", "GET", last).json()
        if page["previous"] is not None:
            before = hotel.call("aoi", "GET", page["previous"].partition("/guard/api/v1/")[2]).json()["results"]
            assert [row["id"] for row in [*before, *page["results"]]] == ids[-size - len(page["results"]) :]
    assert hotel.call("aoi", "GET", path.format(hotel.talk.pk) + "?ordering=text").status_code == 400


def test_rows_added_while_paging_move_nothing(hotel: Hotel) -> None:
    ids = add(hotel, 6)
    page = hotel.call("aoi", "GET", "messages/?page_size=3").json()
    add(hotel, 5)

    rest, _ = walk(hotel, "aoi", page["next"].partition("/guard/api/v1/")[2])
    assert [row["id"] for row in page["results"]] == ids[:2:-1]
    assert rest[:3] == ids[2::-1]


FILTERED = {
    "messages/?direction=inbound": 3,
    "messages/?direction=outbound": 0,
    "messages/?conversation={talk}": 1,
    "messages/?occurred_at__gte=2026-11-24T01:00:00Z": 3,
    "messages/?occurred_at__lt=2026-11-24T10:00:00%2B09:00": 0,
    "messages/?employee={aoi}&kind=message&channel=chat": 1,
    "conversations/?state=open&employee={aoi}": 1,
    "conversations/?waiting_since__gte=2026-01-01": 3,
    "alerts/?severity=medium": 3,
    "alerts/?severity=high": 0,
    "findings/?kind=contact_identifier&by=customer": 3,
    "alerts/?concerned={aoi}&status=open&by=customer": 1,
    "alerts/?status=closed": 0,
    "findings/?kind=sensitive_data": 0,
}


def test_filters(hotel: Hotel) -> None:
    found = {}
    for path in FILTERED:
        asked = path.format(talk=hotel.talk.pk, aoi=hotel.people["aoi"].pk)
        found[path] = len(hotel.call("kai", "GET", asked).json()["results"])

    assert found == FILTERED


def test_addresses_are_masked_until_somebody_may_and_asks(hotel: Hotel) -> None:
    message = says(
        hotel.talk, "hello", channel="email", from_address="hanako@example.com", to_address="r+tok@kaede.example"
    )
    detail, row = f"conversations/{hotel.talk.pk}/", f"messages/{message.pk}/"

    for name in ("aoi", "sora", "rio", "kai"):
        assert hotel.call(name, "GET", detail).json()["addresses"][0]["value"] == "h•••@example.com"
        given = hotel.call(name, "GET", row).json()
        assert (given["from_address"], given["to_address"]) == ("h•••@example.com", "r•••@kaede.example")
    assert not Event.objects.filter(kind="view.unmasked").exists()

    assert hotel.call("kai", "GET", f"{row}?unmask=true").json()["errors"][0]["field"] == "unmask_reason"
    assert hotel.call("kai", "GET", "messages.jsonl?unmask=true&unmask_reason=+").status_code == 400
    why = "?unmask=true&unmask_reason=She+asked"
    assert hotel.call("kai", "GET", row + why).json()["from_address"] == "hanako@example.com"
    assert hotel.call("kai", "GET", detail + why).json()["addresses"][0]["value"] == "hanako@example.com"
    assert (
        list(Event.objects.filter(kind="view.unmasked").values_list("actor", "conversation", "reason"))
        == [(str(hotel.people["kai"].pk), hotel.talk.pk, "She asked")] * 2
    )


def test_sensitive_data_are_masked_until_somebody_may_and_asks(hotel: Hotel) -> None:
    card = "4242 4242 4242 4242"
    text = f"My card is {card}."
    message = factories.recorded(hotel.talk, text, quoted=f"> card {card}", subject=f"Card {card}")
    row = f"messages/{message.pk}/"

    given = hotel.call("aoi", "GET", row).json()
    assert given["text"] == "My card is •••• •••• •••• 4242."
    for path in (row, f"conversations/{hotel.talk.pk}/messages/", "messages/"):
        assert card not in hotel.call("kai", "GET", path).content.decode()

    raw = hotel.call("kai", "GET", f"{row}?unmask=true&unmask_reason=She+asked").json()
    assert (raw["text"], raw["quoted"], raw["subject"]) == (text, f"> card {card}", f"Card {card}")


def test_reading_is_recorded_of_those_outside_the_talk(hotel: Hotel) -> None:
    hotel.call("aoi", "GET", "messages/")
    hotel.call("aoi", "GET", f"conversations/{hotel.talk.pk}/messages/")
    assert not Event.objects.filter(kind="view.content").exists()

    hotel.call("sora", "GET", "messages/")
    hotel.call("rio", "GET", f"conversations/{hotel.talk.pk}/messages/")

    seen = Event.objects.filter(kind="view.content").order_by("recorded_at", "id")
    assert list(seen.values_list("actor", "conversation", "data")) == [
        # Sora answers chief_talk herself, so only the other one is a view from outside.
        (str(hotel.people["sora"].pk), hotel.talk.pk, '{"about":null,"purpose":"api.messages"}'),
        (str(hotel.people["rio"].pk), hotel.talk.pk, '{"about":null,"purpose":"api.conversation"}'),
    ]
    log = hotel.call("kai", "GET", "access-log/?kind=view.content").json()["results"]
    assert [row["actor_name"] for row in log] == ["Rio", "Sora"]
    assert log[0]["data"]["purpose"] == "api.conversation"


def test_the_access_log_keeps_alerts_from_whom_they_concern(hotel: Hotel) -> None:
    hotel.call("rio", "GET", f"conversations/{hotel.talk.pk}/messages/")
    Alert.objects.filter(conversation=hotel.talk).update(concerned=hotel.people["kai"])

    assert hotel.call("kai", "GET", "access-log/").json()["results"] == []
    assert len(hotel.call("rio", "GET", "access-log/").json()["results"]) == 1


@pytest.mark.parametrize("path", ["conversations/{talk}/", "messages/{message}/", "alerts/{alert}/", "schema/"])
def test_an_etag_saves_the_second_answer(hotel: Hotel, path: str) -> None:
    path = path.format(talk=hotel.talk.pk, message=hotel.talk.messages.get().pk, alert=hotel.talk.alerts.get().pk)
    first = hotel.call("sora", "GET", path)

    again = hotel.call("sora", "GET", path, **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert hotel.call("sora", "GET", path, **{"If-None-Match": '"other"'}).status_code == 200
    assert "private" in first["Cache-Control"]


def test_an_alert_tells_its_findings_and_history(hotel: Hotel) -> None:
    alert = hotel.talk.alerts.get()
    hotel.call("sora", "POST", f"alerts/{alert.pk}/claim/", {})
    closed = hotel.call("sora", "POST", f"alerts/{alert.pk}/close/", {"resolution": "coaching", "comment": "Talked."})
    late = hotel.call("yui", "POST", f"alerts/{alert.pk}/close/", {"resolution": "no_action"})

    given: Any = closed.json()
    assert (given["status"], given["resolution"], given["closed_by"]["name"]) == ("closed", "coaching", "Sora")
    assert [step["kind"] for step in given["history"]] == ["alert.opened", "alert.claimed", "alert.closed"]
    assert given["history"][-1]["reason"] == "Talked."
    assert {found["message"] for found in given["findings"]} == {str(hotel.talk.messages.get().pk)}
    assert (late.status_code, late.json()["type"]) == (409, "urn:crm-contact-guard:problem:already-closed")
    wrong = hotel.call("yui", "POST", f"alerts/{hotel.chief_talk.alerts.get().pk}/close/", {"resolution": "dismissal"})
    assert wrong.json()["errors"][0]["field"] == "resolution"


def test_the_number_of_queries_does_not_grow_with_the_rows(hotel: Hotel) -> None:
    for index in range(47):
        conversation = factories.conversation(hotel.people["aoi"], name=f"Guest {index}")
        says(conversation)
        hotel.call("rio", "GET", f"conversations/{conversation.pk}/messages/")

    def selects(path: str, size: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            response = hotel.call("kai", "GET", f"{path}?page_size={size}")
        assert len(response.json()["results"]) == size
        # Each conversation read is recorded by an insert of its own; what is looked up must not grow.
        return sum(query["sql"].startswith("SELECT") for query in captured)

    selects("messages/", 1)
    for path in ("messages/", "conversations/", "alerts/", "findings/", "access-log/"):
        assert (selects(path, 50 if path != "access-log/" else 47), path) == (selects(path, 1), path)
        assert selects(path, 1) <= 8


def test_erased_fields_are_null(hotel: Hotel) -> None:
    row = hotel.call("aoi", "GET", f"messages/{hotel.talk.messages.get().pk}/").json()

    assert (row["subject"], row["quoted"], row["details"], row["delivery"]) == (None, None, None, None)
    assert Message.objects.get(pk=row["id"]).text == row["text"]
