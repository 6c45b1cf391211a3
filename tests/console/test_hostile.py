"""What a stranger or a broken program may put into a form or an address: told or taken, and never an error page."""

from __future__ import annotations

from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.directory.models import Customer
from tests.console.conftest import Hotel, alert_for, says, url

# NUL, which no database holds; half of a pair; a noncharacter; text that runs the other way; a very long word
ODD = ["a\0b", "\ud83d", "\uffff", "\u202egpj.exe", "x" * 70_000]


#: Who opens which page, of what, with which parameters.
ADDRESSES = (
    ("aoi", "inbox", "", ("q", "show", "limit")),
    ("aoi", "inbox_news", "", ("q", "v", "active", "limit")),
    ("aoi", "inbox_conversation", "talk", ("around", "before", "sent", "called")),
    ("aoi", "conversation_news", "talk", ("from", "v")),
    ("chief", "alerts", "", ("status", "kind", "team", "severity", "cursor")),
    ("chief", "alerts_news", "", ("status", "v", "overview")),
    ("chief", "customer_identify", "stranger", ("q",)),
    ("compliance", "data_requests", "", ("q",)),
    ("compliance", "customer_data", "customer", ("done",)),
)


def test_an_odd_address_is_answered(hotel: Hotel) -> None:
    unknown = conversation_open(customer=Customer.objects.create(name="Unknown"), channel="chat", team=hotel.talk.team)
    keys = {"talk": hotel.talk.pk, "customer": hotel.talk.customer_id, "stranger": unknown.pk}
    for odd, (who, page, of, names) in product(ODD, ADDRESSES):
        value = quote(odd.encode("utf-8", "surrogatepass")[:4000])
        for name in names:
            response = hotel.get(who, page, *([keys[of]] if of else []), query=f"?{name}={value}")
            assert response.status_code in (200, 204), (page, name, odd[:5])


@pytest.mark.parametrize("odd", ODD, ids=["nul", "half", "non", "bidi", "long"])
def test_an_odd_form_is_told_or_taken_and_never_breaks(hotel: Hotel, odd: str) -> None:
    said = says(hotel.talk, "LINE?")
    raised = alert_for(hotel.talk, said, 0, 4)
    text = odd.encode("utf-8", "replace").decode()
    talk = hotel.talk.pk
    forms: list[tuple[str, str, list[Any], dict[str, str], str]] = [
        ("aoi", "conversation_send_preview", [talk], {"text": "hello"}, "text"),
        (
            "aoi",
            "conversation_note",
            [talk],
            {"note-kind": "call", "note-occurred_at": "2026-03-02T10:00", "note-text": "x"},
            "note-text note-place note-next_step note-minutes note-occurred_at note-kind back",
        ),
        (
            "aoi",
            "conversation_send",
            [talk],
            {"text": "hello", "channel": "chat"},
            "text subject key channel override_code override_text template var-x back",
        ),
        ("aoi", "conversation_call", [talk], {}, "channel key back"),
        ("aoi", "conversation_start", [], {}, "id customer back"),
        ("chief", "alert_message_erase", [raised.pk], {}, "message reason confirm"),
        ("chief", "alert_close", [raised.pk], {"resolution": "no_action", "comment": ""}, "resolution comment"),
        (
            "compliance",
            "customer_data_hold_place",
            [hotel.talk.customer_id],
            {"hold-name": "n", "hold-reason": "r"},
            "hold-name hold-reason",
        ),
        ("compliance", "customer_data_erase", [hotel.talk.customer_id], {"erase-confirm": "on"}, "erase-reason"),
        ("aoi", "language_set", [], {"next": "/"}, "language next"),
    ]
    for who, page, arguments, form, fields in forms:
        for name in fields.split():
            response = hotel.post(who, page, *arguments, data={**form, name: text})
            assert response.status_code < 500, (page, name)


@pytest.mark.parametrize("back", ["elsewhere", "inbox", "?page=2", "#top", " /guard/"])
def test_a_way_back_that_is_no_path_leads_to_the_conversation(hotel: Hotel, back: str) -> None:
    response = hotel.post("aoi", "chat_link_revoke", hotel.talk.pk, link(hotel), data={"back": back})

    assert response["Location"] == url("conversation", hotel.talk.pk)


def link(hotel: Hotel) -> object:
    found, _token = chat_link_create(conversation=hotel.talk, created_by=hotel.people["aoi"])
    return found.pk
