"""Opening a conversation from the inbox: the way there where the CRM's own pages hold no panel."""

from __future__ import annotations

import html
import re

from crm_contact_guard.record.models import Conversation
from tests import factories
from tests.console.conftest import Hotel, url


def found(hotel: Hotel, who: str, words: str) -> list[str]:
    """Our ids of the customers that the search offers to begin a conversation with."""
    page = hotel.get(who, "inbox", query=f"?q={words}").content.decode()
    return [html.unescape(key) for key in re.findall(r'name="id" value="([^"]*)"', page)]


def test_a_search_offers_customers_to_write_to_and_one_click_opens_the_talk(hotel: Hotel) -> None:
    aoi = hotel.people["aoi"]
    guest = factories.customer("Mori Kenji", manager=aoi)

    assert found(hotel, "aoi", "mori") == [str(guest.pk)]
    answer = hotel.post("aoi", "conversation_start", data={"id": str(guest.pk)})

    talk = Conversation.objects.get(customer=guest)
    assert talk.employee == aoi
    assert answer["Location"] == url("inbox_conversation", talk.pk)
    assert found(hotel, "aoi", "mori") == []


def test_nobody_is_offered_a_customer_of_another_team(hotel: Hotel) -> None:
    factories.customer("Mori Kenji", manager=hotel.people["aoi"])

    assert found(hotel, "ken", "mori") != []
    assert found(hotel, "ren", "mori") == []
    assert hotel.get("auditor", "inbox", query="?q=mori").status_code == 403


def test_customers_are_shown_only_to_those_who_search(hotel: Hotel) -> None:
    factories.customer("Mori Kenji", manager=hotel.people["aoi"])

    assert "Mori Kenji" not in hotel.get("aoi", "inbox").content.decode()
