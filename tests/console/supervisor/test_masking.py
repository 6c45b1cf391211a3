"""Sensitive data are unreadable wherever staff see a message, and can be erased at once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse

from crm_contact_guard import gateway
from crm_contact_guard.privacy.holds import hold_place
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.showing import shown, shown_values
from tests.console.conftest import Hotel, alert_for, says

CARD = "4242 4242 4242 4242"
TEXT = f"My card is {CARD}, thank you"
HIDDEN = "•••• •••• •••• 4242"
FORM = {"reason": "A card number", "confirm": "on"}


def html(response: HttpResponse) -> str:
    return response.content.decode()


def card_alert(hotel: Hotel, message: Message) -> Alert:
    start = (message.text or "").index(CARD)
    finding = NewFinding(
        message=message,
        kind="sensitive_data",
        start=start,
        end=start + len(CARD),
        score=0.99,
        detector="sensitive.card",
        version="1",
    )
    verdict = Verdict(topic="sensitive_data", by="customer", stance="none", at=message, findings=[finding])
    alert = alert_raise(conversation=message.conversation, verdict=verdict)
    assert alert is not None
    return alert


def erase(hotel: Hotel, who: str, alert: Alert, message: object, **form: str) -> HttpResponse:
    return hotel.post(who, "alert_message_erase", alert.pk, data={"message": str(message), **FORM, **form})


@pytest.mark.parametrize("inspected", [True, False])
def test_no_page_of_staff_shows_a_card(hotel: Hotel, inspected: bool, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=inspected):
        message = says(hotel.talk, TEXT)
    alert = Alert.objects.get() if inspected else alert_for(hotel.talk, message)

    pages = [
        hotel.get("aoi", "inbox"),
        hotel.get("aoi", "inbox_news"),
        hotel.get("aoi", "inbox_conversation", hotel.talk.pk),
        hotel.get("aoi", "conversation", hotel.talk.pk),
        hotel.get("chief", "conversation_news", hotel.talk.pk),
        hotel.get("chief", "alert", alert.pk),
        hotel.get("auditor", "conversation", hotel.talk.pk),
    ]

    for page in pages:
        assert page.status_code == 200
        assert CARD not in html(page)
    for page in pages[:2]:
        assert HIDDEN in html(page)
    assert HIDDEN in html(pages[-1])


def test_what_is_found_by_the_record_alone_is_masked_too(hotel: Hotel) -> None:
    message = says(hotel.talk, "The word is swordfish")
    finding = NewFinding(
        message=message, kind="sensitive_data", start=12, end=21, score=0.9, detector="host.own", version="1"
    )
    alert_raise(
        conversation=hotel.talk,
        verdict=Verdict(topic="sensitive_data", by="customer", stance="none", at=message, findings=[finding]),
    )

    for page in (hotel.get("aoi", "inbox"), hotel.get("aoi", "conversation", hotel.talk.pk)):
        assert "swordfish" not in html(page)


def test_evidence_of_another_kind_keeps_its_place(hotel: Hotel) -> None:
    message = says(hotel.talk, f"card {CARD}, LINE hanako_22")
    start = (message.text or "").index("hanako_22")
    alert = alert_for(hotel.talk, message, start, start + 9)

    page = html(hotel.get("chief", "alert", alert.pk))

    assert ">hanako_22</mark>" in page
    assert CARD not in page


def test_notes_are_masked_in_all_their_parts(hotel: Hotel) -> None:
    gateway.note(
        actor=hotel.people["aoi"],
        conversation=hotel.talk,
        kind="call",
        text=TEXT,
        occurred_at=hotel.talk.created_at,
        details={"place": f"card {CARD}", "minutes": 3},
    )

    page = html(hotel.get("aoi", "conversation", hotel.talk.pk))

    assert CARD not in page
    assert page.count(HIDDEN) == 2


@pytest.mark.parametrize("text", ["", "plain words", "\u202ecard 4242\u202c", "\ud800 4242", "4" * 5000, "\0"])
def test_masking_keeps_length_and_takes_anything(text: str) -> None:
    assert len(shown(text)) == len(text)


def test_values_are_masked_on_every_level() -> None:
    given = {"a": TEXT, "b": [TEXT, {"c": TEXT}], "n": 4, "none": None}

    assert CARD not in str(shown_values(given))
    assert shown_values({"n": 4, "none": None}) == {"n": 4, "none": None}
    assert shown(None) == ""


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("nobody", 302),
        ("visitor", 403),
        ("aoi", 404),
        ("ren", 404),
        ("boss", 404),
        ("auditor", 403),
        ("chief", 302),
        ("vice", 302),
        ("compliance", 302),
    ],
)
def test_who_may_erase(hotel: Hotel, who: str, status: int) -> None:
    message = says(hotel.talk, TEXT)
    alert = card_alert(hotel, message)
    may = who in ("chief", "vice", "compliance")
    if who in ("chief", "vice", "compliance", "auditor"):
        assert ("cg-erase" in html(hotel.get(who, "alert", alert.pk))) is may

    assert erase(hotel, who, alert, message.pk).status_code == status

    message.refresh_from_db()
    assert (message.text is None) is may


def test_an_erasure_is_recorded_and_told(hotel: Hotel) -> None:
    message = says(hotel.talk, TEXT)
    alert = card_alert(hotel, message)

    erase(hotel, "chief", alert, message.pk)

    event = Event.objects.get(kind="erasure.sensitive_data", subject_type="message")
    assert (event.subject_id, event.actor) == (str(message.pk), str(hotel.people["chief"].pk))
    assert event.reason == "A card number"
    page = html(hotel.get("chief", "alert", alert.pk))
    assert "Chief erased the content of a message" in page
    assert "A card number" in page
    assert "The text was erased." in page
    assert "cg-erase" not in page.replace("cg-erased", "")
    assert erase(hotel, "chief", alert, message.pk).status_code == 302
    assert Event.objects.filter(kind="erasure.sensitive_data", subject_type="message").count() == 1


@pytest.mark.parametrize("form", [{"reason": " "}, {"confirm": ""}, {"reason": "a\0b"}, {"reason": "x" * 501}])
def test_reason_and_tick_are_needed(hotel: Hotel, form: dict[str, str]) -> None:
    message = says(hotel.talk, TEXT)
    alert = card_alert(hotel, message)

    response = erase(hotel, "chief", alert, message.pk, **form)

    assert response.status_code == 422
    assert '<details class="cg-erase" open>' in html(response)
    message.refresh_from_db()
    assert message.text == TEXT


def test_a_hold_keeps_the_message(hotel: Hotel) -> None:
    message = says(hotel.talk, TEXT)
    alert = card_alert(hotel, message)
    hold_place(name="Case", reason="court", placed_by=None, customer=message.customer)

    response = erase(hotel, "compliance", alert, message.pk)

    assert response.status_code == 409
    assert "A legal hold keeps this message." in html(response)
    message.refresh_from_db()
    assert message.text == TEXT


def test_evidence_that_somebody_has_yet_to_judge_is_not_erased_on_the_way(hotel: Hotel) -> None:
    message = says(hotel.talk, TEXT)
    other, alert = alert_for(hotel.talk, message), card_alert(hotel, message)

    assert erase(hotel, "chief", alert, message.pk).status_code == 409
    hotel.post("chief", "alert_close", other.pk, data={"resolution": "no_action"})
    assert erase(hotel, "chief", alert, message.pk).status_code == 302

    message.refresh_from_db()
    assert message.text is None


def test_only_messages_that_the_alert_names_for_it(hotel: Hotel) -> None:
    message, bystander = says(hotel.talk, TEXT), says(hotel.talk, "innocent")
    alert, elsewhere = card_alert(hotel, message), says(hotel.other, "other")
    handle = alert_for(hotel.talk, bystander)

    for row, pk in (
        (alert, bystander.pk),
        (alert, elsewhere.pk),
        (alert, uuid4()),
        (alert, "'; --"),
        (handle, bystander.pk),
    ):
        assert erase(hotel, "compliance", row, pk).status_code == 302
    assert not Event.objects.filter(kind__startswith="erasure.").exists()


def test_an_open_page_hears_of_an_erasure(hotel: Hotel) -> None:
    message = says(hotel.talk, TEXT)
    alert = card_alert(hotel, message)
    before = hotel.get("aoi", "conversation", hotel.talk.pk).context["page"].talk.state.version  # type: ignore[attr-defined]
    query = f"?v={before}&from={message.pk}"
    assert hotel.get("aoi", "conversation_news", hotel.talk.pk, query=query).status_code == 204

    erase(hotel, "chief", alert, message.pk)

    news = hotel.get("aoi", "conversation_news", hotel.talk.pk, query=query)
    assert "The text was erased." in html(news)
