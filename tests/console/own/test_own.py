"""The employee's own page: what is flagged about them, why, what they say, and what the reviewer answers."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from crm_contact_guard import gateway
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.review import alert_close
from crm_contact_guard.verification.whole_record import verify
from tests.console.conftest import ASK, Hotel, alert_for, says, url


@pytest.fixture
def flagged(hotel: Hotel) -> Alert:
    return alert_for(hotel.talk, says(hotel.talk, ASK), 15, 24)


def closed(hotel: Hotel, alert: Alert, resolution: str = "coaching") -> Alert:
    comment = "Privately: be careful"
    return alert_close(alert_id=alert.pk, reviewer=hotel.people["chief"], resolution=resolution, comment=comment)


def say(hotel: Hotel, alert: Alert, kind: str = "contest", text: str = "He <b>asked</b>, I did nothing.") -> int:
    return hotel.post("aoi", "own_flag", alert.pk, data={"kind": kind, "text": text}).status_code


def test_what_was_reviewed_is_shown_with_its_reasons_and_version(hotel: Hotel, flagged: Alert) -> None:
    link = url("own_flag", flagged.pk)
    assert link not in hotel.get("aoi", "own_record").content.decode()
    assert hotel.get("aoi", "own_flag", flagged.pk).status_code == 404

    closed(hotel, flagged)

    assert link in hotel.get("aoi", "own_record").content.decode()
    page = hotel.get("aoi", "own_flag", flagged.pk).content.decode()
    assert "Talked it over" in page
    assert "handle 1" in page
    assert "hanako_22" in page
    assert "Privately" not in page


@pytest.mark.parametrize(
    ("choice", "opened", "reviewed"), [("reviewed", 404, 200), ("all", 200, 200), ("none", 404, 404)]
)
def test_the_company_chooses_when(hotel: Hotel, flagged: Alert, choice: str, opened: int, reviewed: int) -> None:
    from django.conf import settings

    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "OWN_FLAGS": choice}):
        assert hotel.get("aoi", "own_flag", flagged.pk).status_code == opened
        closed(hotel, flagged)
        assert hotel.get("aoi", "own_flag", flagged.pk).status_code == reviewed


@pytest.mark.parametrize("who", ["ken", "ren", "chief", "vice", "boss", "compliance", "auditor"])
def test_nobody_else_sees_it_there(hotel: Hotel, flagged: Alert, who: str) -> None:
    closed(hotel, flagged)

    assert hotel.get(who, "own_flag", flagged.pk).status_code == 404
    assert url("own_flag", flagged.pk) not in hotel.get(who, "own_record").content.decode()


def test_a_case_has_its_own_procedure(hotel: Hotel, flagged: Alert) -> None:
    Alert.objects.filter(pk=flagged.pk).update(status="closed", resolution="case_opened")

    assert hotel.get("aoi", "own_flag", flagged.pk).status_code == 404


def test_a_contest_is_answered_and_may_open_the_alert_again(hotel: Hotel, flagged: Alert) -> None:
    closed(hotel, flagged)
    assert say(hotel, flagged) == 302
    assert say(hotel, flagged) == 409
    assert say(hotel, flagged, kind="comment", text="It was a guest of years.") == 302

    assert "Employees disagree" in hotel.get("chief", "dashboard").content.decode()
    page = hotel.get("chief", "alert", flagged.pk).content.decode()
    assert "He &lt;b&gt;asked&lt;/b&gt;, I did nothing." in page
    remark = FlagRemark.objects.get(kind="contest")
    answer = {"outcome": "reopened", "text": "You are right to ask."}
    assert hotel.post("chief", "contest_answer", remark.pk, data={"outcome": "reopened"}).status_code == 422
    assert hotel.post("auditor", "contest_answer", remark.pk, data=answer).status_code == 403
    assert hotel.post("boss", "contest_answer", remark.pk, data=answer).status_code == 404
    assert hotel.post("aoi", "contest_answer", remark.pk, data=answer).status_code == 404
    assert hotel.post("chief", "contest_answer", remark.pk, data=answer).status_code == 302
    assert hotel.post("chief", "contest_answer", remark.pk, data=answer).status_code == 409

    flagged.refresh_from_db()
    assert flagged.status == "open"
    assert "Employees disagree" not in hotel.get("chief", "dashboard").content.decode()
    closed(hotel, flagged, "false_positive")
    again = hotel.get("aoi", "own_flag", flagged.pk).content.decode()
    assert "You are right to ask." in again
    assert "False alarm" in again
    assert [one for one in verify().faults if "flagremark" in str(one)] == []


@pytest.mark.parametrize(("kind", "text"), [("comment", " "), ("revenge", "x"), ("comment", "x" * 4001)])
def test_bad_input_says_nothing(hotel: Hotel, flagged: Alert, kind: str, text: str) -> None:
    closed(hotel, flagged)

    assert say(hotel, flagged, kind=kind, text=text) == 422
    assert not FlagRemark.objects.exists()


def test_a_refusal_stands_as_credit(hotel: Hotel) -> None:
    says(hotel.talk, ASK)
    text = "申し訳ございませんが、個人の連絡先の交換はいたしかねます。"
    sent = gateway.send(actor=hotel.people["aoi"], conversation=hotel.talk, text=text).message
    assert sent is not None
    inspection.inspect(sent)

    assert "You declined, or reported it." in hotel.get("aoi", "own_record").content.decode()
    assert "You declined" not in hotel.get("ken", "own_record").content.decode()


def test_who_looked_is_shown_and_an_unfinished_review_is_not_given_away(hotel: Hotel, flagged: Alert) -> None:
    hotel.get("compliance", "conversation", hotel.talk.pk)
    hotel.get("chief", "alert", flagged.pk)

    page: Any = hotel.get("aoi", "own_record").content.decode()
    assert "Compliance read the conversation" in page
    assert "Chief looked at an alert" not in page

    closed(hotel, flagged)
    assert "Chief looked at an alert" in hotel.get("aoi", "own_record").content.decode()
    assert Event.objects.filter(kind="view.content").count() == 2
