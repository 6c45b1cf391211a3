"""Who sees which page: role by page."""

from __future__ import annotations

import pytest
from django.test import override_settings

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.models import Alert
from tests.console.conftest import ASK, Hotel, alert_for, says, url

OK, AWAY, NO, NONE = 200, 302, 403, 404


# dashboard, alerts, alert, inbox, conversation, inbox with that conversation
@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("nobody", (AWAY, AWAY, AWAY, AWAY, AWAY, AWAY)),
        ("visitor", (NO, NO, NO, NO, NO, NO)),
        ("aoi", (AWAY, NO, NONE, OK, OK, OK)),
        ("ken", (AWAY, NO, NONE, OK, NONE, NONE)),
        ("ren", (AWAY, NO, NONE, OK, NONE, NONE)),
        ("chief", (OK, OK, OK, OK, OK, NONE)),
        ("vice", (OK, OK, OK, OK, OK, NONE)),
        ("boss", (OK, OK, NONE, OK, NONE, NONE)),
        ("compliance", (OK, OK, OK, OK, OK, NONE)),
        ("auditor", (OK, OK, OK, NO, OK, NONE)),
    ],
)
def test_role_by_page(hotel: Hotel, who: str, expected: tuple[int, ...]) -> None:
    raised = alert_for(hotel.talk, says(hotel.talk, "hello"))
    pages = {
        "dashboard": [],
        "alerts": [],
        "alert": [raised.pk],
        "inbox": [],
        "conversation": [hotel.talk.pk],
        "inbox_conversation": [hotel.talk.pk],
    }

    answers = {page: hotel.get(who, page, *args).status_code for page, args in pages.items()}

    assert answers == dict(zip(pages, expected, strict=True))


@pytest.mark.parametrize("who", ["ken", "ren", "chief", "compliance", "auditor"])
def test_only_who_answers_may_write(hotel: Hotel, who: str) -> None:
    for response in (
        hotel.send(who, "I was never here"),
        hotel.post(who, "conversation_send_preview", hotel.talk.pk, data={"text": "x"}),
        hotel.post(who, "chat_link_create", hotel.talk.pk),
        hotel.post(who, "conversation_note", hotel.talk.pk, data={"note-text": "x"}),
    ):
        assert response.status_code in (403, 404, 422)
    assert not hotel.talk.messages.exists()
    assert not hotel.talk.chat_links.exists()


def test_a_refusal_gives_back_what_was_typed(hotel: Hotel) -> None:
    hotel.talk.employee = hotel.people["ken"]
    hotel.talk.save()

    response = hotel.send("aoi", "A long answer that <b>nobody</b> wants to lose")

    assert response.status_code == 404
    assert "A long answer that &lt;b&gt;nobody&lt;/b&gt; wants to lose" in response.content.decode()


@pytest.mark.parametrize("page", ["alert_claim", "alert_close"])
def test_an_auditor_decides_nothing(hotel: Hotel, page: str) -> None:
    raised = alert_for(hotel.talk, says(hotel.talk, "hello"))
    form = {"resolution": "no_action", "comment": "mine"}

    assert hotel.post("auditor", page, raised.pk, data=form).status_code == 403
    assert "cg-close-form" not in hotel.get("auditor", "alert", raised.pk).content.decode()
    raised.refresh_from_db()
    assert raised.status == Alert.Status.OPEN


def test_a_supervisor_never_sees_the_alert_about_themselves(hotel: Hotel) -> None:
    hotel.talk.employee = hotel.people["chief"]
    hotel.talk.save()
    raised = alert_for(hotel.talk, says(hotel.talk, "hello"))

    assert hotel.get("chief", "alert", raised.pk).status_code == 404
    assert hotel.post("chief", "alert_close", raised.pk, data={"resolution": "no_action"}).status_code == 404
    assert str(raised.pk) not in hotel.get("chief", "dashboard").content.decode()
    assert hotel.get("vice", "alert", raised.pk).status_code == 200


def test_the_employee_sees_no_marks_of_supervision(hotel: Hotel) -> None:
    alert_for(hotel.talk, says(hotel.talk, ASK), 15, 24)

    assert "<mark" not in hotel.get("aoi", "inbox_conversation", hotel.talk.pk).content.decode()
    assert "<mark" in hotel.get("chief", "conversation", hotel.talk.pk).content.decode()


def views_of(person: Employee) -> int:
    return Event.objects.filter(kind="view.content", actor=str(person.pk)).count()


def test_reading_by_others_is_recorded_once_a_page_and_not_for_each_look(hotel: Hotel) -> None:
    chief, aoi = hotel.people["chief"], hotel.people["aoi"]
    says(hotel.talk, "hello")

    hotel.get("chief", "conversation", hotel.talk.pk)
    for _ in range(3):
        assert hotel.get("chief", "conversation_news", hotel.talk.pk).status_code == 200
    hotel.get("aoi", "conversation", hotel.talk.pk)
    hotel.get("aoi", "inbox_conversation", hotel.talk.pk)

    assert views_of(chief) == 1
    assert views_of(aoi) == 0


def test_asking_for_news_without_having_opened_the_page_is_a_view(hotel: Hotel) -> None:
    says(hotel.talk, "hello")

    hotel.get("auditor", "conversation_news", hotel.talk.pk)

    assert views_of(hotel.people["auditor"]) == 1


def test_fragments_answer_401_rather_than_a_login_form(hotel: Hotel) -> None:
    assert hotel.get("nobody", "inbox_news", headers={"hx-request": "true"}).status_code == 401


def test_the_products_own_login_address_comes_first(hotel: Hotel) -> None:
    assert hotel.get("nobody", "inbox")["Location"] == f"/login/?next={url('inbox')}"
    from django.conf import settings

    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "LOGIN_URL": "/staff/in/"}):
        assert hotel.get("nobody", "inbox")["Location"] == f"/staff/in/?next={url('inbox')}"


def test_navigation_shows_only_what_may_be_used(hotel: Hotel) -> None:
    inbox, alerts = f'href="{url("inbox")}"', f'href="{url("alerts")}"'

    employee = hotel.get("aoi", "inbox").content.decode()
    auditor = hotel.get("auditor", "dashboard").content.decode()

    assert inbox in employee
    assert alerts not in employee
    assert alerts in auditor
    assert inbox not in auditor


def test_posts_need_the_csrf_token(hotel: Hotel) -> None:
    browser = hotel.browser("aoi")
    browser.handler.enforce_csrf_checks = True

    assert hotel.send("aoi").status_code == 403
    assert not hotel.talk.messages.exists()
