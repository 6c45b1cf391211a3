"""The supervisor's queue and decisions."""

from __future__ import annotations

import re
from typing import Any

from django.utils import timezone

from crm_contact_guard.console.supervisor import queue
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_close
from tests.console.conftest import ASK, Hotel, alert_for, says, url


def html(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


def many(hotel: Hotel, count: int) -> None:
    """So many alerts on one message, of two weights, a microsecond or nothing apart."""
    message = says(hotel.talk, "hello")
    now = timezone.now()
    Alert.objects.bulk_create(
        Alert(
            conversation=hotel.talk,
            team=hotel.talk.team,
            concerned=hotel.people["aoi"],
            topic="off_channel",
            kind="contact_request",
            by="customer",
            stance="ask",
            severity=2 + index % 2,
            opened_at=now,
            updated_at=now,
            window_ends_at=now,
            at_message=message,
        )
        for index in range(count)
    )


def test_a_message_in_the_chat_becomes_an_alert_on_the_open_overview(
    hotel: Hotel, django_capture_on_commit_callbacks: Any
) -> None:
    page = html(hotel.get("chief", "dashboard"))
    version = re.search(r'id="cg-queue"[^>]* data-cg-version="([^"]+)"', page)
    assert version is not None
    assert "Nothing waits." in page
    assert hotel.get("chief", "alerts_news", query=f"?overview=1&v={version[1]}").status_code == 204

    with django_capture_on_commit_callbacks(execute=True):
        says(hotel.talk, ASK)
    news = hotel.get("chief", "alerts_news", query=f"?overview=1&v={version[1]}")

    assert news.status_code == 200
    assert "Hanako Sato" in html(news)
    assert "<b>1</b>" in html(news)
    assert "hanako_22" not in html(news)


def test_news_of_another_team_is_none(hotel: Hotel) -> None:
    alert_for(hotel.other, says(hotel.other, "hello"))

    assert "Robert King" not in html(hotel.get("chief", "alerts_news"))
    assert "Robert King" in html(hotel.get("compliance", "alerts_news"))


def test_claim_and_close(hotel: Hotel) -> None:
    raised = alert_for(hotel.talk, says(hotel.talk, "hello"))

    assert hotel.post("chief", "alert_claim", raised.pk)["Location"] == url("alert", raised.pk)
    assert "You are looking at it" in html(hotel.get("chief", "alert", raised.pk))
    closed = hotel.post("chief", "alert_close", raised.pk, data={"resolution": "coaching", "comment": "We talked."})

    assert closed.status_code == 302
    raised.refresh_from_db()
    assert (raised.status, raised.resolution, raised.comment) == ("closed", "coaching", "We talked.")
    page = html(hotel.get("chief", "alert", raised.pk))
    assert "Chief is looking at it" in page
    assert "Chief closed it: Talked it over" in page
    assert "We talked." in page
    assert "cg-close-form" not in page


def test_a_colleagues_claim_is_not_taken_over_and_the_page_says_whose_it_is(hotel: Hotel) -> None:
    raised = alert_for(hotel.talk, says(hotel.talk, "hello"))
    before = html(hotel.get("chief", "alert", raised.pk))
    hotel.post("vice", "alert_claim", raised.pk)

    refused = hotel.post("chief", "alert_claim", raised.pk)
    page = html(hotel.get("chief", "alert", raised.pk))

    assert "I&#x27;ll look at it" in before or "I'll look at it" in before
    assert refused.status_code == 409
    assert re.search(r"Vice has been looking at this alert since \d\d:\d\d\.", html(refused))
    assert "Vice is looking at it" in page
    assert "cg-close-form" not in page
    raised.refresh_from_db()
    assert raised.claimed_by == hotel.people["vice"]


def test_each_further_step_from_the_page(hotel: Hotel) -> None:
    raised = alert_for(hotel.talk, says(hotel.talk, "hello"))
    steps = [
        ("alert_snooze", {"until": "1d"}, "Put aside until"),
        ("alert_wake", {}, "Chief took it back into the queue"),
        ("alert_snooze", {"until": "again"}, "Put aside until it happens again"),
        ("alert_defer", {}, "For review, when there is time"),
        ("alert_escalate", {}, "Chief passed it on to Vice"),
        ("alert_assign", {"to": str(hotel.people["compliance"].pk)}, "Chief handed it over to"),
        ("alert_claim", {}, "You are looking at it"),
        ("alert_release", {}, "Chief gave it back"),
        ("alert_close", {"resolution": "no_action"}, "Undo"),
        ("alert_undo", {}, "Chief took the close back"),
        ("alert_close", {"resolution": "no_action"}, "Undo"),
        ("alert_reopen", {"reason": "Seen too quickly"}, "Seen too quickly"),
    ]

    for name, form, words in steps:
        assert hotel.post("chief", name, raised.pk, data=form).status_code == 302, name
        assert words in html(hotel.get("chief", "alert", raised.pk)), name


def test_a_step_that_is_not_possible_says_so(hotel: Hotel) -> None:
    raised = alert_for(hotel.talk, says(hotel.talk, "hello"))

    for until in ("", "x", "99999d", "-1d", "0h", "400d", "²d"):
        response = hotel.post("chief", "alert_snooze", raised.pk, data={"until": until})
        assert response.status_code == 422, until
    for to in ("", "nobody", str(hotel.people["aoi"].pk)):
        assert hotel.post("chief", "alert_assign", raised.pk, data={"to": to}).status_code == 422
    raised.refresh_from_db()
    assert raised.status == "open"


def test_closing_without_a_resolution_keeps_the_comment(hotel: Hotel) -> None:
    raised = alert_for(hotel.talk, says(hotel.talk, "hello"))

    response = hotel.post("chief", "alert_close", raised.pk, data={"comment": "Long & thoughtful"})

    assert response.status_code == 422
    assert "Choose how this ends" in html(response)
    assert "Long &amp; thoughtful</textarea>" in html(response)


def test_closing_what_somebody_else_closed_says_so(hotel: Hotel) -> None:
    raised = alert_for(hotel.talk, says(hotel.talk, "hello"))
    alert_close(alert_id=raised.pk, reviewer=hotel.people["vice"], resolution="no_action")

    response = hotel.post("chief", "alert_close", raised.pk, data={"resolution": "coaching", "comment": "mine"})

    assert response.status_code == 409
    assert "already closed" in html(response)
    raised.refresh_from_db()
    assert raised.resolution == "no_action"


def test_employment_outcomes_are_no_resolution(hotel: Hotel) -> None:
    raised = alert_for(hotel.talk, says(hotel.talk, "hello"))

    page = html(hotel.get("chief", "alert", raised.pk))

    assert set(re.findall(r'name="resolution" value="(\w+)"', page)) == set(Alert.Resolution.values) - {"noticed"}
    assert hotel.post("chief", "alert_close", raised.pk, data={"resolution": "dismissal"}).status_code == 422


def test_pages_by_cursor_show_each_alert_once(hotel: Hotel) -> None:
    many(hotel, 120)
    seen: list[str] = []
    query = ""
    for _ in range(3):
        page = html(hotel.get("chief", "alerts", query=query))
        seen += re.findall(r'<li id="a-([0-9a-f-]+)"', page)
        following = re.search(r'rel="next" href="[^"?]*(\?[^"]+)"', page)
        query = following[1].replace("&amp;", "&") if following else ""

    assert len(seen) == len(set(seen)) == 120
    assert query == ""
    grave = [str(pk) for pk in Alert.objects.filter(severity=3).values_list("pk", flat=True)]
    assert set(seen[:60]) == set(grave)


def test_a_broken_cursor_leads_to_the_first_page(hotel: Hotel) -> None:
    many(hotel, 3)
    for cursor in ("x", "3-x-y", "9-99999999999999999999999-00", "3-1-" + "0" * 32 + "-"):
        assert hotel.get("chief", "alerts", query=f"?cursor={cursor}").status_code == 200


def test_filters_by_name_of_the_field(hotel: Hotel) -> None:
    mine = alert_for(hotel.talk, says(hotel.talk, "hello"))
    other = alert_for(hotel.other, says(hotel.other, "hello"))
    alert_close(alert_id=other.pk, reviewer=hotel.people["boss"], resolution="no_action")

    def listed(query: str) -> set[str]:
        return set(re.findall(r'<li id="a-([0-9a-f-]+)"', html(hotel.get("compliance", "alerts", query=query))))

    assert listed("") == {str(mine.pk)}
    assert listed("?status=closed") == {str(other.pk)}
    assert listed("?status=all") == {str(mine.pk), str(other.pk)}
    assert listed(f"?status=all&team={other.team_id}") == {str(other.pk)}
    assert listed("?status=all&kind=harassment") == set()
    assert listed("?status=nonsense&kind=nonsense&team=nonsense") == {str(mine.pk)}


def test_the_next_alert_is_the_next_in_the_queue(hotel: Hotel) -> None:
    many(hotel, 5)
    chief = hotel.people["chief"]
    order = list(queue.rows(chief, queue.Filters()))

    for place, row in enumerate(order):
        before, after = queue.neighbours(chief, row, queue.Filters())
        assert before == (order[place - 1] if place else None)
        assert after == (order[place + 1] if place + 1 < len(order) else None)


def test_a_long_thread_shows_the_messages_around_the_evidence(hotel: Hotel) -> None:
    messages = [says(hotel.talk, f"message number {index:03}") for index in range(60)]
    raised = alert_for(hotel.talk, messages[30], 0, 7)

    page = html(hotel.get("chief", "alert", raised.pk))

    assert "number 026" in page
    assert "number 034" in page
    assert "number 025" not in page
    assert "number 035" not in page
    whole = html(hotel.get("chief", "conversation", hotel.talk.pk, query=f"?around={messages[30].pk}"))
    assert "number 012" in whole
    assert "number 050" in whole
    assert "number 055" not in whole


def test_evidence_that_lies_far_apart_is_all_shown_and_the_gaps_are_named(hotel: Hotel) -> None:
    messages = [says(hotel.talk, f"message number {index:03}") for index in range(200)]
    for place in (10, 100, 190):
        raised = alert_for(hotel.talk, messages[place], 0, 7)

    page = html(hotel.get("chief", "alert", raised.pk))

    shown = [int(number) for number in re.findall(r"number (\d{3})", page)]
    assert shown == [*range(6, 15), *range(96, 105), *range(186, 195)]
    assert page.count("81 messages in between") == 2
    assert f"?around={messages[96].pk}" in page


def test_evidence_all_over_a_long_thread_shows_both_its_ends(hotel: Hotel) -> None:
    messages = [says(hotel.talk, f"message number {index:03}") for index in range(260)]
    for message in messages[::4]:
        raised = alert_for(hotel.talk, message, 0, 7)

    page = html(hotel.get("chief", "alert", raised.pk))

    assert "number 000" in page
    assert "number 259" in page
    assert re.search(r"\d+ messages in between", page)
    assert len(re.findall(r"number \d{3}", page)) <= 160


def test_the_empty_overview_tells_when_the_last_was_closed(hotel: Hotel) -> None:
    raised = alert_for(hotel.talk, says(hotel.talk, "hello"))
    alert_close(alert_id=raised.pk, reviewer=hotel.people["chief"], resolution="no_action")

    page = html(hotel.get("chief", "dashboard"))

    assert "Nothing waits." in page
    assert re.search(r"last alert was closed at <time datetime=\"[^\"]+\" title=\"[^\"]+\">\d\d:\d\d</time>", page)
