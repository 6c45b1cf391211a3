"""Hidden names: nothing that a viewer gets about an alert names its people until the viewer has claimed it."""

from __future__ import annotations

import json
import re

import pytest
from django.conf import settings
from django.test import override_settings

from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.review import alert_claim
from crm_contact_guard.supervision.watching.pseudonyms import are_used
from tests.console.conftest import Hotel, alert_for, says

pytestmark = pytest.mark.django_db

NAMES = ("Hanako", "Sato", "Tanaka")
TEXT = "This is hanako SATO. Dear Tanaka-san, tomatoes and Satomi: please add my LINE hanako_22."


def configured(**values: object) -> override_settings:
    return override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **values})


def own_talks(hotel: Hotel, who: str) -> str:
    return hotel.browser(who).get("/guard/api/v1/conversations/").content.decode()


def test_names_are_hidden_until_the_viewer_claims_the_alert(hotel: Hotel) -> None:
    assert not are_used()
    with configured(INDUSTRY="healthcare"):
        assert are_used()
    with configured(INDUSTRY="healthcare", PSEUDONYMS=False):
        assert not are_used()

    Employee.objects.filter(pk=hotel.people["aoi"].pk).update(name="Aoi Tanaka")
    said = says(hotel.talk, TEXT, from_name="Hanako Sato", subject="Sato, room 7")
    alert = alert_for(hotel.talk, said, TEXT.index("hanako_22"), TEXT.index("hanako_22") + 9)
    again = conversation_open(customer=hotel.talk.customer, channel="chat", employee=hotel.people["aoi"])
    second = alert_for(again, says(again, "Hello?"))
    alert.comment = "Sato again"
    alert.save()
    FlagRemark.objects.create(alert=alert, employee=hotel.people["aoi"], kind="contest", made_at=alert.opened_at)

    def got(who: str) -> dict[str, str]:
        client = hotel.browser(who)
        pages = {
            "dashboard": hotel.get(who, "dashboard"),
            "alerts": hotel.get(who, "alerts", query="?status=all"),
            "news": hotel.get(who, "alerts_news"),
            "alert": hotel.get(who, "alert", alert.pk),
            "list": client.get("/guard/api/v1/alerts/"),
            "detail": client.get(f"/guard/api/v1/alerts/{alert.pk}/"),
            "talks": client.get("/guard/api/v1/conversations/"),
            "talk": client.get(f"/guard/api/v1/conversations/{hotel.talk.pk}/"),
            "messages": client.get(f"/guard/api/v1/conversations/{hotel.talk.pk}/messages/"),
            "record": client.get("/guard/api/v1/messages/"),
        }
        assert {page.status_code for page in pages.values()} == {200}
        texts = {name: page.content.decode() for name, page in pages.items()}
        return texts | {"notices": hotel.get(who, "notices").content.decode()}

    assert "Hanako Sato" in got("chief")["alert"]

    with configured(PSEUDONYMS=True):
        for who in ("chief", "vice", "compliance", "auditor"):
            for name, text in got(who).items():
                for hidden in NAMES:
                    assert not re.search(rf"\b{hidden}\b", text, re.IGNORECASE), (who, name, hidden)
        hidden = got("chief")
        assert "tomatoes and Satomi" in hidden["alert"], "only whole words"
        customer = re.search(r"Customer \w{5}", hidden["alert"])
        employee = re.search(r"Employee \w{5}", hidden["alert"])
        assert customer is not None
        assert employee is not None
        listed_by_api = json.loads(hidden["list"])["results"]
        assert {row["customer"]["name"] for row in listed_by_api} == {customer[0]}, "the same everywhere"
        assert {row["concerned"]["name"] for row in listed_by_api} == {employee[0]}
        assert {row["customer"]["key"] for row in listed_by_api} == {None}
        talk = json.loads(hidden["talk"])
        assert (talk["customer"]["name"], talk["employee"]["name"]) == (customer[0], employee[0])
        assert "Hanako Sato" in own_talks(hotel, "aoi"), "whose talk it is"

        alert_claim(alert_id=alert.pk, reviewer=hotel.people["chief"])
        shown = got("chief")
        assert "Hanako Sato" in shown["alert"]
        assert "Aoi Tanaka" in shown["alert"]
        assert json.loads(shown["detail"])["customer"]["name"] == "Hanako Sato"
        assert json.loads(shown["talk"])["customer"]["name"] == "Hanako Sato"
        assert TEXT in shown["messages"]
        (other,) = [row for row in json.loads(shown["list"])["results"] if row["id"] == str(second.pk)]
        assert other["customer"]["name"] == customer[0], "that one isn't claimed"
        assert "Hanako" not in got("vice")["alert"]
        assert "Hanako" not in got("vice")["list"]
    alert.refresh_from_db()
    assert alert.comment == "Sato again"
    hotel.talk.customer.refresh_from_db()
    assert hotel.talk.customer.name == "Hanako Sato"
