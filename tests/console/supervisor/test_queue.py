"""The queue: what a row tells, filters in the address, several alerts in one act, and what it costs."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_contact_guard.console.supervisor.versions import micros
from crm_contact_guard.policy import hours
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_history
from tests import factories
from tests.console.conftest import Hotel, alert_for, says
from tests.console.supervisor.test_alerts import html, many

BULK = {"resolution": "no_action", "comment": "A fire drill"}


def listed(hotel: Hotel, query: str = "", who: str = "chief") -> set[str]:
    return set(re.findall(r'<li id="a-([0-9a-f-]+)"', html(hotel.get(who, "alerts", query=query))))


def several(hotel: Hotel, count: int) -> list[Alert]:
    talks = [factories.conversation(hotel.people["aoi"], name=f"Guest {index}") for index in range(count)]
    return [alert_for(talk, says(talk, f"hello {index}")) for index, talk in enumerate(talks)]


def chosen(alerts: list[Alert]) -> list[str]:
    return [f"{alert.pk}:{micros(alert.updated_at)}" for alert in alerts]


def statuses() -> list[str]:
    return sorted(Alert.objects.values_list("status", flat=True))


# --- rows


def test_a_row_tells_who_what_and_one_line_of_evidence_with_the_contact_masked(hotel: Hotel) -> None:
    text = "Good evening!\nThe pool was lovely, thank you so much. Write to me as hanako_22 on LINE, will you?"
    message = says(hotel.talk, text)
    start = text.index("hanako_22")
    alert_for(hotel.talk, message, start, start + 9)

    page = html(hotel.get("chief", "alerts"))

    assert "Hanako Sato gave Aoi a private contact" in page
    assert '<mark class="cg-mark">h•••••_••</mark> on LINE, will you?' in page
    assert "… " in page
    assert "hanako_22" not in page


def test_a_row_is_one_line_of_any_text_and_escapes_it(hotel: Hotel) -> None:
    message = says(hotel.talk, "<script>alert(1)</script>\n\u202e" + "word " * 400)
    alert_for(hotel.talk, message, 0, 8)
    alert_for(hotel.other, says(hotel.other, "x"), 5000, 6000)

    page = html(hotel.get("compliance", "alerts"))

    assert "<script>alert" not in page
    line = re.search(r'<q class="cg-line-of-evidence"[^>]*>(.*?)</q>', page)
    assert line
    assert len(re.sub(r"<[^>]+>|&\w+;", "", line[1])) < 140


def test_that_a_list_shows_parts_of_messages_is_recorded_once(hotel: Hotel) -> None:
    several(hotel, 3)
    for _ in range(2):
        hotel.get("chief", "alerts")
        hotel.get("chief", "alerts_news")

    views = Event.objects.filter(kind="view.content", actor=str(hotel.people["chief"].pk))
    assert views.count() == len(set(views.values_list("conversation", flat=True))) == 3


# --- filters


def test_each_filter_and_all_together(hotel: Hotel) -> None:
    mine, other = several(hotel, 1)[0], alert_for(hotel.other, says(hotel.other, "hello"))
    Alert.objects.filter(pk=mine.pk).update(severity=3, opened_at=timezone.now() - timedelta(days=4))
    aoi, ren = hotel.people["aoi"], hotel.people["ren"]
    day = timezone.localdate(timezone=hours.zone(hotel.people["compliance"]))

    def found(query: str) -> set[str]:
        return listed(hotel, f"?{query}", "compliance")

    assert found("severity=3") == {str(mine.pk)}
    assert found("severity=2") == {str(other.pk)}
    assert found(f"person={aoi.pk}") == {str(mine.pk)}
    assert found(f"team={other.team_id}&person={ren.pk}") == {str(other.pk)}
    assert found(f"team={other.team_id}&person={aoi.pk}") == set()
    assert found("age=3") == {str(mine.pk)}
    assert found("age=7") == set()
    assert found(f"since={day}") == {str(other.pk)}
    assert found(f"until={day - timedelta(days=3)}") == {str(mine.pk)}
    assert found(f"since={day - timedelta(days=9)}&until={day}") == {str(mine.pk), str(other.pk)}
    assert found("topic=off_channel") == {str(mine.pk), str(other.pk)}
    assert found("topic=harassment") == set()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sevrity=3", "sevrity"),
        ("severity=9", "severity"),
        ("since=2026-13-01&until=0001-01-01", "since, until"),
        ("person=x&team=' OR 1=1", "person, team"),
        ("age=-1&topic=<b>", "age, topic"),
    ],
)
def test_a_filter_that_can_not_be_used_is_named(hotel: Hotel, query: str, names: str) -> None:
    alert = several(hotel, 1)[0]

    page = html(hotel.get("chief", "alerts", query=f"?{query}"))

    assert f"These filters can't be used and were left out: {names}" in page
    assert f'id="a-{alert.pk}"' in page


def test_the_next_alert_is_the_next_of_the_same_view(hotel: Hotel) -> None:
    first, second, third = several(hotel, 3)
    Alert.objects.filter(pk=second.pk).update(severity=3)
    view = "severity=2"

    response = hotel.post("chief", "alert_close", third.pk, data={"resolution": "no_action", "view": view, "next": "1"})

    assert str(first.pk) in response["Location"]
    page = html(hotel.browser("chief").get(response["Location"]))
    assert "Undo" in page
    last = hotel.post("chief", "alert_close", first.pk, data={"resolution": "no_action", "view": view, "next": "1"})
    assert last["Location"].endswith(f"/alerts/?severity=2&done={first.pk}")
    assert "Undo" in html(hotel.browser("chief").get(last["Location"]))


# --- several in one act


def test_selected_alerts_are_closed_in_one_act_and_taken_back_in_one(hotel: Hotel) -> None:
    alerts = several(hotel, 5)

    page = html(hotel.post("chief", "alerts_close", data={**BULK, "alert": chosen(alerts[:4])}))

    assert "4 alerts closed." in page
    assert statuses() == ["closed"] * 4 + ["open"]
    assert {event.reason for alert in alerts[:4] for event in alert_history(alert)[-1:]} == {"A fire drill"}
    batch = re.search(r'name="batch" value="([^"]+)"', page)
    assert batch
    hotel.post("vice", "alerts_undo", data={"batch": batch[1]})
    assert statuses() == ["closed"] * 4 + ["open"]
    hotel.post("chief", "alerts_undo", data={"batch": batch[1]})
    assert statuses() == ["open"] * 5


def test_all_that_match_are_closed_but_nothing_that_changed_or_came_since(hotel: Hotel) -> None:
    alerts = several(hotel, 4)
    page = html(hotel.get("chief", "alerts", query="?topic=off_channel"))
    form = dict(re.findall(r'name="(view|as_of|count)" value="([^"]*)"', page))
    changed, new = alerts[0], several(hotel, 1)[0]
    alert_for(changed.conversation, says(changed.conversation, "And again"))
    hotel.post("vice", "alert_claim", alerts[1].pk)

    told = html(hotel.post("chief", "alerts_close", data={**BULK, **form, "all": "1"}))

    assert form["count"] == "4"
    assert "2 alerts closed." in told
    open_still = Alert.objects.exclude(status="closed").values_list("pk", flat=True)
    assert set(open_still) == {changed.pk, alerts[1].pk, new.pk}


def test_a_selected_alert_that_changed_stays_open_and_the_page_says_so(hotel: Hotel) -> None:
    alerts = several(hotel, 2)
    form = {**BULK, "alert": chosen(alerts)}
    alert_for(alerts[0].conversation, says(alerts[0].conversation, "And again"))

    page = html(hotel.post("chief", "alerts_close", data=form))

    assert "1 alert closed." in page
    assert "1 had changed and stays open." in page


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"comment": " "}, "Say why these alerts are closed together."),
        ({"resolution": "dismissal"}, "Choose how this ends"),
        ({"alert": []}, "Choose between 1 and 500 alerts."),
        ({"alert": ["x:y"]}, "Choose the alerts again."),
        ({"alert": ["1"]}, "Choose the alerts again."),
        ({"all": "1", "count": "x", "as_of": "1"}, "Choose the alerts again."),
        ({"all": "1", "count": "0", "as_of": "9" * 16}, "The number that matches is now 1."),
        ({"all": "1", "count": "1", "as_of": "9" * 40}, "Choose the alerts again."),
    ],
)
def test_an_act_that_is_not_possible_changes_nothing_and_keeps_the_reason(
    hotel: Hotel, form: dict[str, Any], words: str
) -> None:
    alerts = several(hotel, 1)

    response = hotel.post("chief", "alerts_close", data={**BULK, "alert": chosen(alerts), **form})

    assert response.status_code == 422
    assert words in html(response)
    assert form.get("comment", BULK["comment"]).strip() in html(response)
    assert statuses() == ["open"]


def test_alerts_of_others_are_not_closed_beside_ones_own(hotel: Hotel) -> None:
    mine, other = several(hotel, 1)[0], alert_for(hotel.other, says(hotel.other, "hello"))

    response = hotel.post("chief", "alerts_close", data={**BULK, "alert": chosen([mine, other])})

    assert response.status_code == 403
    assert statuses() == ["open", "open"]


# --- keys


def in_queue(hotel: Hotel, page: str, alert: Alert, **form: str) -> Any:
    return hotel.post("chief", page, alert.pk, data=form, headers={"X-Contact-Guard-Queue": "1"})


def test_a_key_closes_and_answers_only_what_changes(hotel: Hotel) -> None:
    alerts = several(hotel, 3)

    answer = in_queue(hotel, "alert_close", alerts[0], resolution="no_action", left="40")
    few = in_queue(hotel, "alert_close", alerts[1], resolution="no_action", left="2")
    refused = in_queue(hotel, "alert_close", alerts[1], resolution="coaching", left="2")

    assert "<b>2</b>" in html(answer)
    assert "Undo" in html(answer)
    assert "cg-queue" not in html(answer)
    assert f'id="a-{alerts[2].pk}"' in html(few)
    assert (refused.status_code, html(refused)) == (409, "This alert is already closed.")


# --- what it costs


def test_a_thousand_alerts_cost_a_handful_of_queries_and_little_time(hotel: Hotel) -> None:
    many(hotel, 1000)
    hotel.get("chief", "alerts")
    alert = Alert.objects.filter(status="open")[0]

    with CaptureQueriesContext(connection) as listing:
        began = time.process_time()
        assert hotel.get("chief", "alerts").status_code == 200
        took = time.process_time() - began
    with CaptureQueriesContext(connection) as closing:
        began = time.process_time()
        assert in_queue(hotel, "alert_close", alert, resolution="no_action", left="40").status_code == 200
        closed = time.process_time() - began

    assert len(listing) <= 25
    assert len(closing) <= 30
    # Processor time in the tests' process, with some room: what is promised is measured in docs/operations.md.
    assert took < 1
    assert closed < 0.5
