"""A day in the inbox: filters, done and put aside, drafts, and what came in between."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from crm_contact_guard.console.conversation.reasons import reason
from crm_contact_guard.conversations.desk.drafts import draft_of
from crm_contact_guard.record.models import Conversation, Message
from tests import factories
from tests.console.conftest import Hotel, alert_for, says, url

HTMX = {"HX-Request": "true"}


def page(hotel: Hotel, query: str = "", who: str = "aoi") -> str:
    return html.unescape(hotel.get(who, "inbox", query=query).content.decode())


def rows(text: str) -> list[str]:
    return re.findall(r'data-cg-row href="[^"]*/inbox/([0-9a-f-]{36})/', text)


def test_what_is_done_or_put_aside_leaves_the_list_and_comes_back(hotel: Hotel) -> None:
    aoi, first = hotel.people["aoi"], hotel.talk
    second = factories.conversation(aoi, name="Emma Wright")
    says(first, "Is the pool open?")
    says(second, "A late checkout, please?")

    opened = html.unescape(hotel.get("aoi", "inbox_conversation", first.pk, query="?show=waiting").content.decode())
    assert f"/inbox/{second.pk}/?show=waiting" in opened
    answer = hotel.post("aoi", "inbox_done", first.pk, data={"filters": "?show=waiting"})
    assert answer["Location"].startswith(url("inbox") + "?show=waiting&did=done")
    after = page(hotel, answer["Location"].removeprefix(url("inbox")))
    assert rows(after) == [str(second.pk)]
    assert "Hanako Sato: done." in after
    assert rows(page(hotel, "?show=done")) == [str(first.pk)]
    hotel.post("aoi", "inbox_undone", first.pk)
    assert rows(page(hotel, "?show=waiting")) == [str(first.pk), str(second.pk)]

    tomorrow = timezone.localtime() + timedelta(days=1)
    hotel.post("aoi", "inbox_snooze", second.pk, data={"until": tomorrow.strftime("%Y-%m-%dT%H:%M")})
    assert rows(page(hotel)) == [str(first.pk)]
    assert rows(page(hotel, "?show=snoozed")) == [str(second.pk)]
    assert rows(page(hotel, "?q=emma")) == [str(second.pk)]
    says(second, "I mean noon.")
    assert "Again until" in hotel.get("aoi", "inbox_conversation", second.pk).content.decode()
    assert "did=no_time" in hotel.post("aoi", "inbox_snooze", second.pk, data={"until": "x"})["Location"]

    ken = hotel.people["ken"]
    assert "did=no_colleague" in hotel.post("aoi", "inbox_hand_over", first.pk, data={"to": "x"})["Location"]
    hotel.post("aoi", "inbox_hand_over", first.pk, data={"to": str(ken.pk), "words": "She likes jazz."})
    assert rows(page(hotel, who="ken")) == [str(first.pk)]
    assert rows(page(hotel)) == [str(second.pk)]


def test_nothing_typed_is_lost_and_nobody_answers_what_has_changed(hotel: Hotel) -> None:
    aoi, talk = hotel.people["aoi"], hotel.talk
    says(talk, "Is the pool open?")
    hotel.post("aoi", "conversation_draft", talk.pk, data={"text": "Yes, until"})
    opened = hotel.get("aoi", "inbox_conversation", talk.pk).content.decode()
    assert ">Yes, until</textarea>" in opened
    assert "Hanako Sato has no web chat link that works" in opened
    seen = re.findall(r'name="seen" value="([^"]*)"', opened)[0]

    says(talk, "Sorry, I meant the sauna.")
    form = {"text": "Yes, until ten.", "channel": "chat", "key": uuid4().hex, "seen": seen}
    refused = hotel.post("aoi", "conversation_send", talk.pk, data=form, headers=HTMX)
    text = refused.content.decode()
    assert refused.status_code == 200
    assert "HX-Trigger" not in refused
    assert "Sorry, I meant the sauna." in text
    assert ">Yes, until ten.</textarea>" in text
    assert Message.objects.filter(direction="outbound").count() == 0
    form["seen"] = re.findall(r'name="seen" value="([^"]*)"', text)[0]
    assert hotel.post("aoi", "conversation_send", talk.pk, data=form, headers=HTMX)["HX-Trigger"] == "cg-sent"
    assert draft_of(talk, aoi) == ""
    news = hotel.get("aoi", "conversation_news", talk.pk).content.decode()
    assert "hourglass" not in news


def test_a_customer_who_asks_for_contacts_meets_a_kind_refusal(hotel: Hotel) -> None:
    message = says(hotel.talk, "LINE?")
    assert "Declining is right" not in hotel.get("aoi", "inbox_conversation", hotel.talk.pk).content.decode()
    alert_for(hotel.talk, message)
    opened = hotel.get("aoi", "inbox_conversation", hotel.talk.pk).content.decode()
    assert "Declining is right" in opened
    assert "Declining is right" in hotel.get("aoi", "conversation_news", hotel.talk.pk).content.decode()
    assert url("consultation_new", hotel.talk.pk) in opened
    # A reason may contain the detector's name, as "phone number" does.
    assert "number" in reason("phone", "contact_identifier")
    assert reason("of an older pack", "contact_identifier") == "Private contact"


def test_a_customer_who_waits_for_a_colleague_gets_no_second_conversation(hotel: Hotel) -> None:
    says(hotel.talk, "Hello?")
    answer = hotel.post("ken", "conversation_start", data={"id": str(hotel.talk.customer.pk)})
    assert (answer.status_code, Conversation.objects.filter(customer=hotel.talk.customer).count()) == (403, 1)
    assert "waits for an answer from Aoi" in answer.content.decode()
