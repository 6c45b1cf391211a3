"""A person's notices: the bell, the list, marking as read, the settings and the test button."""

from __future__ import annotations

from typing import Any

import pytest

from crm_contact_guard.notices.models import Notice
from crm_contact_guard.notices.preferences import choice
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.alert_notices import alert_tell
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_close
from tests.console.conftest import Hotel, alert_for, says, url
from tests.notices.conftest import verified


@pytest.fixture
def told(hotel: Hotel) -> Alert:
    alert = alert_for(hotel.talk, says(hotel.talk, "hello"))
    Notice.objects.all().delete()
    alert_tell(alert, hotel.people["chief"])
    return alert


def html(response: Any) -> str:
    return str(response.content.decode())


@pytest.mark.parametrize("who", ["aoi", "chief", "compliance", "auditor"])
@pytest.mark.parametrize("name", ["notices", "notice_settings"])
def test_everybody_with_a_role_has_notices(hotel: Hotel, who: str, name: str) -> None:
    assert hotel.get(who, name).status_code == 200
    assert hotel.get("visitor", name).status_code == 403
    assert hotel.get("nobody", name).status_code == 302


def test_the_bell_and_the_title_count_what_is_unread(hotel: Hotel, told: Alert) -> None:
    page = html(hotel.get("chief", "alerts"))
    assert 'data-cg-unread="1"' in page
    assert "<title>(1) " in page
    hotel.talk.unread = 2
    hotel.talk.save()
    assert "<title>(2) " in html(hotel.get("aoi", "inbox"))
    assert 'data-cg-unread="0"' in html(hotel.get("aoi", "inbox"))


def test_the_count_is_sent_only_when_it_has_changed(hotel: Hotel, told: Alert) -> None:
    browser = hotel.browser("chief")
    assert browser.get(url("notices_news"), {"v": "1"}).status_code == 204
    assert 'data-cg-unread="1"' in html(browser.get(url("notices_news"), {"v": "0"}))


def test_opening_a_notice_marks_it_as_read_and_leads_to_its_page(hotel: Hotel, told: Alert) -> None:
    shown = Notice.objects.get(way="in_app")
    assert "Hanako Sato" in html(hotel.get("chief", "notices"))

    response = hotel.post("chief", "notices_read", data={"notice": shown.pk, "open": "1"})

    assert response["Location"] == url("alert", told.pk)
    shown.refresh_from_db()
    assert shown.read_at is not None
    assert Event.objects.get(kind="notice.read").actor == str(hotel.people["chief"].pk)
    assert "Hanako Sato" not in html(hotel.get("chief", "notices"))
    assert "Hanako Sato" in html(hotel.browser("chief").get(url("notices"), {"show": "all"}))
    assert not [fault for fault in verified() if f"notice {shown.pk}:" in fault]


def test_nobody_reads_the_notices_of_others(hotel: Hotel, told: Alert) -> None:
    shown = Notice.objects.get(way="in_app")
    for who in ("aoi", "vice", "compliance"):
        assert "Hanako Sato" not in html(hotel.get(who, "notices"))
        response = hotel.post(who, "notices_read", data={"notice": shown.pk, "open": "1"})
        assert response["Location"] == url("notices")
        hotel.post(who, "notices_read")
    shown.refresh_from_db()
    assert shown.read_at is None


@pytest.mark.parametrize("given", ["x", "9" * 30, "-1", "²"])
def test_nonsense_marks_nothing(hotel: Hotel, told: Alert, given: str) -> None:
    assert hotel.post("chief", "notices_read", data={"notice": given}).status_code == 302
    assert Notice.objects.get(way="in_app").read_at is None


def test_all_are_read_at_once_and_closing_an_alert_settles_its_notice(hotel: Hotel, told: Alert) -> None:
    alert_close(alert_id=told.pk, reviewer=hotel.people["vice"], resolution="no_action")
    assert 'data-cg-unread="0"' in html(hotel.get("chief", "alerts"))
    assert "Settled" in html(hotel.browser("chief").get(url("notices"), {"show": "all"}))

    other = alert_for(hotel.talk, says(hotel.talk, "hello again"))
    alert_tell(other, hotel.people["chief"])
    hotel.post("chief", "notices_read")
    assert 'data-cg-unread="0"' in html(hotel.get("chief", "alerts"))


def test_choices_are_stored_and_defaults_are_not(hotel: Hotel) -> None:
    chief = hotel.people["chief"]
    before = choice(chief, "alert_serious")
    form = {"alert-cadence": "threshold", "alert-count": "5", "alert-minutes": "90", "alert_serious-cadence": "at_once"}

    assert hotel.post("chief", "notice_settings", data=form)["Location"] == url("notice_settings") + "?saved=1"

    chosen = choice(chief, "alert")
    assert (chosen.cadence, chosen.count, chosen.minutes, chosen.quiet) == ("threshold", 5, 90, False)
    assert choice(chief, "alert_serious") == before
    assert "Saved" in html(hotel.browser("chief").get(url("notice_settings"), {"saved": "1"}))


@pytest.mark.parametrize("form", [{"alert-cadence": "never"}, {"alert-count": "1"}, {"alert-minutes": "0"}])
def test_an_impossible_choice_is_explained(hotel: Hotel, form: dict[str, str]) -> None:
    response = hotel.post("chief", "notice_settings", data=form)
    assert response.status_code == 422
    assert "Choose" in html(response)
    assert 'role="alert"' in html(response)


def test_the_test_button_sends_one_mail_and_shows_what_became_of_it(hotel: Hotel, mailoutbox: list[Any]) -> None:
    for _press in range(3):
        hotel.post("chief", "notice_test")
    assert [mail.to for mail in mailoutbox] == [[hotel.people["chief"].email]]
    assert "テストのお知らせです" in mailoutbox[0].subject  # the person's language, not the page's
    assert "Sent" in html(hotel.get("chief", "notice_settings"))

    Notice.objects.filter(topic="test").delete()
    hotel.people["aoi"].email = ""
    hotel.people["aoi"].save()
    hotel.post("aoi", "notice_test")
    assert "no e-mail address" in html(hotel.get("aoi", "notice_settings"))
