"""Writing in a conversation: the composer, notes, links, and what comes back live."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard.console.conversation.advice import better_wordings
from crm_contact_guard.record.models import Event, Message
from tests.console.conftest import Hotel, says, url

NUDGED = "個人のLINEでやりとりしませんか？IDは yamada_ken です。"


def html(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


def rules(**chosen: Any) -> override_settings:
    return override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "RULES": chosen})


def test_without_scripts_a_sent_message_leads_back_to_the_page(hotel: Hotel) -> None:
    back = url("inbox_conversation", hotel.talk.pk)

    response = hotel.send("aoi", "Your room is ready.", back=back)

    assert response["Location"].startswith(back + "?sent=")
    assert hotel.talk.messages.get().text == "Your room is ready."


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example"]
)
def test_the_way_back_never_leads_off_the_site(hotel: Hotel, back: str) -> None:
    assert hotel.send("aoi", back=back)["Location"].startswith(url("conversation", hotel.talk.pk))


def test_sent_twice_is_one_message_and_changed_after_all_is_another(hotel: Hotel) -> None:
    key = uuid4().hex

    for text in ("Good evening", "Good evening", "Good evening again"):
        assert hotel.send("aoi", text, key=key).status_code == 302

    texts = hotel.talk.messages.order_by("recorded_at").values_list("text", flat=True)
    assert list(texts) == ["Good evening", "Good evening again"]


def test_a_look_before_sending_underlines_says_why_and_offers_a_wording(hotel: Hotel) -> None:
    seen = html(hotel.post("aoi", "conversation_send_preview", hotel.talk.pk, data={"text": NUDGED}))

    assert '<mark class="cg-underline">' in seen
    assert "looks like a private contact" in seen
    assert 'data-cg-use="You can always reach me here' in seen
    assert not Message.objects.exists()
    assert not Event.objects.filter(kind__startswith="decision").exists()


def test_a_look_at_a_harmless_text_says_nothing(hotel: Hotel) -> None:
    seen = hotel.post("aoi", "conversation_send_preview", hotel.talk.pk, data={"text": "Breakfast is from seven."})

    assert html(seen).strip() == ""


def test_a_nudge_keeps_the_text_and_goes_on_with_a_reason_only(hotel: Hotel) -> None:
    key = uuid4().hex
    asked = hotel.send("aoi", NUDGED, key=key)
    assert asked.status_code == 422
    assert f"{NUDGED}</textarea>" in html(asked)
    assert 'name="override_code"' in html(asked)

    wordless = hotel.send("aoi", NUDGED, key=key, override_code="other")
    assert wordless.status_code == 422
    assert "few words why" in html(wordless)
    assert not hotel.talk.messages.exists()

    hotel.send("aoi", NUDGED, key=key, override_code="other", override_text="Test of <the> form")
    assert hotel.talk.messages.get().text == NUDGED
    assert Event.objects.get(kind="override.other").reason == "Test of <the> form"


def test_an_emergency_needs_no_words(hotel: Hotel) -> None:
    assert hotel.send("aoi", NUDGED, override_code="emergency").status_code == 302


@pytest.mark.parametrize("form", [{"override_code": "nonsense", "override_text": "x"}, {"override_text": "x"}])
def test_an_unknown_reason_is_none(hotel: Hotel, form: dict[str, str]) -> None:
    assert hotel.send("aoi", NUDGED, **form).status_code == 422
    assert not hotel.talk.messages.exists()


def test_a_block_says_whom_to_ask_and_offers_no_way_round(hotel: Hotel) -> None:
    with rules(attempt="block"):
        blocked = hotel.send("aoi", NUDGED, override_code="other", override_text="please")

    assert blocked.status_code == 422
    assert "ask your supervisor" in html(blocked)
    assert 'name="override_code"' not in html(blocked)
    assert not hotel.talk.messages.exists()


def test_after_hours_are_hinted_at_and_an_emergency_lifts_them(hotel: Hotel) -> None:
    aoi = hotel.people["aoi"]
    aoi.working_hours = {"mon": "00:00-00:01"} if timezone.now().weekday() != 0 else {"wed": "00:00-00:01"}
    aoi.save()
    data = {"text": "Good evening"}
    seen = html(hotel.post("aoi", "conversation_send_preview", hotel.talk.pk, data=data))
    assert "outside your working hours" in seen
    assert "emergency" in seen
    assert (
        html(hotel.post("aoi", "conversation_send_preview", hotel.talk.pk, data={**data, "emergency": "on"})).strip()
        == ""
    )

    with rules(after_hours="nudge"):
        assert hotel.send("aoi", "Good evening").status_code == 422
        assert hotel.send("aoi", "Good evening", emergency="on").status_code == 302
    assert Event.objects.filter(kind="override.emergency").count() == 1


@pytest.mark.parametrize(("text", "words"), [(" \n ", "empty"), ("x" * 5001, "5001 characters")])
def test_what_cannot_be_sent_says_why(hotel: Hotel, text: str, words: str) -> None:
    response = hotel.send("aoi", text)

    assert response.status_code == 422
    assert words in html(response)
    assert not hotel.talk.messages.exists()


def test_a_scripted_page_gets_the_composer_back(hotel: Hotel) -> None:
    scripted = {"headers": {"hx-request": "true"}}
    form = {"text": NUDGED, "channel": "chat", "key": "k"}
    asked = hotel.post("aoi", "conversation_send", hotel.talk.pk, data=form, **scripted)
    assert "<html" not in html(asked)
    assert "data-cg-composer" in html(asked)

    sent = hotel.post("aoi", "conversation_send", hotel.talk.pk, data={**form, "text": "Fine"}, **scripted)
    assert sent["HX-Trigger"] == "cg-sent"
    assert "data-cg-sent" in html(sent)
    assert re.search(r'name="text"[^>]*></textarea>', html(sent))


def test_the_thread_is_told_only_when_it_changed(hotel: Hotel) -> None:
    first = says(hotel.talk, "one")
    page = html(hotel.get("aoi", "inbox_conversation", hotel.talk.pk))
    version = re.search(r'id="cg-lines-[^>]* data-cg-version="([^"]+)"', page)
    assert version is not None
    query = f"?from={first.pk}&v={version[1]}"
    assert hotel.get("aoi", "conversation_news", hotel.talk.pk, query=query).status_code == 204

    says(hotel.talk, "two")
    news = hotel.get("aoi", "conversation_news", hotel.talk.pk, query=query)

    assert news.status_code == 200
    assert f'id="m-{first.pk}"' in html(news)
    assert "two" in html(news)


def test_long_threads_load_in_windows(hotel: Hotel) -> None:
    start = timezone.now() - timedelta(days=1)
    for index in range(100):
        says(hotel.talk, f"message {index:03}", occurred_at=start + timedelta(minutes=index))

    page = html(hotel.get("aoi", "conversation", hotel.talk.pk))
    earlier = re.search(r'href="(\?before=[^"]+)"', page)

    assert "message 099" in page
    assert "message 060" in page
    assert "message 059" not in page
    assert earlier is not None
    part = html(hotel.get("aoi", "conversation", hotel.talk.pk, query=earlier[1], headers={"hx-request": "true"}))
    assert "message 059" in part
    assert "message 020" in part
    assert "<html" not in part
    assert "message 019" not in part


def test_the_inbox_shows_who_waits_and_reading_clears_the_count(hotel: Hotel) -> None:
    says(hotel.talk, "Is somebody there?")
    listed = html(hotel.get("aoi", "inbox"))
    assert "1 customer waits" in listed
    assert "waits <time" in listed

    hotel.get("aoi", "inbox_conversation", hotel.talk.pk)
    hotel.talk.refresh_from_db()
    assert hotel.talk.unread == 0
    assert hotel.talk.waiting_since is not None

    hotel.send("aoi", "Yes, I am.")
    assert "Nobody waits for you" in html(hotel.get("aoi", "inbox"))


def test_reading_by_a_supervisor_leaves_the_count(hotel: Hotel) -> None:
    says(hotel.talk, "Is somebody there?")

    hotel.get("chief", "conversation", hotel.talk.pk)

    hotel.talk.refresh_from_db()
    assert hotel.talk.unread == 1


def test_addresses_are_masked(hotel: Hotel) -> None:
    hotel.talk.customer.addresses.create(kind="phone", value="090-1111-1234", normalised="+819011111234")

    page = html(hotel.get("aoi", "inbox_conversation", hotel.talk.pk))

    assert "090-••••-1234" in page
    assert "1111" not in page


def test_a_note_is_kept_in_the_writers_zone(hotel: Hotel) -> None:
    data = {
        "note-kind": "call",
        "note-occurred_at": "2026-11-20T14:30",
        "note-text": "Asked for a <quiet> room.",
        "note-minutes": "5",
    }
    assert hotel.post("aoi", "conversation_note", hotel.talk.pk, data=data).status_code == 302

    note = hotel.talk.messages.get()
    assert (note.direction, note.kind) == ("note", "call")
    assert note.occurred_at.isoformat() == "2026-11-20T05:30:00+00:00"
    page = html(hotel.get("aoi", "inbox_conversation", hotel.talk.pk))
    assert "Note of a phone call" in page
    assert "14:30" in page


def test_a_note_of_the_future_keeps_what_was_typed(hotel: Hotel) -> None:
    data = {"note-kind": "meeting", "note-occurred_at": "2999-01-01T10:00", "note-text": "Crystal ball"}

    response = hotel.post("aoi", "conversation_note", hotel.talk.pk, data=data)

    assert response.status_code == 422
    assert "this time is in the future" in html(response)
    assert "Crystal ball" in html(response)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_better_wording_is_not_itself_asked_about(hotel: Hotel, language: str) -> None:
    for text in better_wordings(language):
        seen = hotel.post("aoi", "conversation_send_preview", hotel.talk.pk, data={"text": text})

        assert html(seen).strip() == ""
