"""Measures from a consultation's page, and what the employee and the customer see of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.consulting.consultations import consultation_history
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.opening import consultation_open
from tests.console.conftest import Hotel, says, url


@pytest.fixture
def row(hotel: Hotel) -> Consultation:
    return consultation_open(conversation=hotel.talk, actor=hotel.people["aoi"], words="He shouts.")


def restrict(hotel: Hotel, row: Consultation, who: str = "chief", **form: Any) -> int:
    until = (timezone.localdate() + timedelta(days=30)).isoformat()
    data = {"kind": "block", "ends_on": until, "reason": "Insults", **form}
    return hotel.post(who, "consultation_restrict", row.pk, data=data).status_code


def test_a_blocked_customer_leaves_the_inbox_and_the_employee_may_look(hotel: Hotel, row: Consultation) -> None:
    says(hotel.talk, "Good morning")
    assert restrict(hotel, row) == 302
    says(hotel.talk, "You <stupid> thing")
    says(hotel.talk, "Answer me!")

    assert "Hanako" not in hotel.get("aoi", "inbox").content.decode()
    found = hotel.browser("aoi").get(url("inbox") + "?q=Hanako").content.decode()
    assert url("inbox_conversation", hotel.talk.pk) in found
    page = hotel.get("aoi", "inbox_conversation", hotel.talk.pk).content.decode()
    thread = page[page.index("cg-talk-head") :]
    assert "2 messages are recorded and kept from you" in thread
    assert "Good morning" in thread
    assert "&lt;stupid&gt;" not in thread
    looked = hotel.get("aoi", "inbox_conversation", hotel.talk.pk, query="?kept=1").content.decode()
    assert "You &lt;stupid&gt; thing" in looked
    assert "You &lt;stupid&gt; thing" in hotel.get("chief", "conversation", hotel.talk.pk).content.decode()


def test_steps_and_standing_limits_are_shown_and_can_be_ended(hotel: Hotel, row: Consultation) -> None:
    assert restrict(hotel, row, kind="rate", per_day="3") == 302
    page = hotel.get("aoi", "consultation", row.pk).content.decode()
    assert "Chief set a limit: Only some messages a day disturb" in page
    assert "cg-measures-title" in page
    assert url("consultation_restrict", row.pk) not in page

    limit = Restriction.objects.get()
    assert limit.per_day == 3
    data = {"restriction": str(limit.pk), "reason": "Better now"}
    assert hotel.post("chief", "consultation_lift", row.pk, data=data).status_code == 302
    assert "Chief ended a limit" in hotel.get("chief", "consultation", row.pk).content.decode()
    assert hotel.post("chief", "consultation_lift", row.pk, data=data).status_code == 422


def test_a_colleague_takes_over(hotel: Hotel, row: Consultation) -> None:
    data = {"to": f"e-{hotel.people['ken'].pk}", "reason": "Pressing"}
    assert hotel.post("chief", "consultation_handover", row.pk, data=data).status_code == 302

    assert hotel.get("ken", "inbox_conversation", hotel.talk.pk).status_code == 200
    assert hotel.get("aoi", "inbox_conversation", hotel.talk.pk).status_code == 404
    assert "Chief handed the customer to Ken" in hotel.get("aoi", "consultation", row.pk).content.decode()
    assert hotel.get("ken", "consultation", row.pk).status_code == 404
    assert Event.objects.filter(kind="conversation.reassigned").count() == 1


def test_police_and_words_to_decline_with(hotel: Hotel, row: Consultation) -> None:
    from django.conf import settings

    given = {**settings.CONTACT_GUARD, "PROTECTION": {"POLICE": "Tokyo central, 03-0000-0110"}}
    with override_settings(CONTACT_GUARD=given):
        page = hotel.get("chief", "consultation", row.pk).content.decode()
    assert "Tokyo central, 03-0000-0110" in page
    assert "data-cg-copy-from" in page
    data = {"step": "police_referral", "reason": "A threat"}
    assert hotel.post("chief", "consultation_outside", row.pk, data=data).status_code == 302

    assert "Chief turned to the police" in hotel.get("aoi", "consultation", row.pk).content.decode()
    assert [event.kind for event in consultation_history(row)] == ["consultation.opened", "consultation.step"]


def test_bad_input_is_named_and_given_back(hotel: Hotel, row: Consultation) -> None:
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()

    assert restrict(hotel, row, ends_on=yesterday) == 422
    assert restrict(hotel, row, kind="rate") == 422
    assert restrict(hotel, row, reason="") == 422
    assert restrict(hotel, row, kind="channel", channel="pigeon") == 422
    foreign = {"to": f"e-{hotel.people['auditor'].pk}", "reason": "Pressing"}
    assert hotel.post("chief", "consultation_handover", row.pk, data=foreign).status_code == 422
    assert hotel.post("chief", "consultation_lift", row.pk, data={"restriction": "x"}).status_code == 422
    assert not Restriction.objects.exists()
    assert len(consultation_history(row)) == 1


def test_the_chat_shows_the_company_instead_of_the_name(hotel: Hotel, row: Consultation) -> None:
    hotel.send("aoi", "Your room is ready.")
    link, token = chat_link_create(conversation=hotel.talk, created_by=hotel.people["aoi"])
    assert restrict(hotel, row, kind="hide_name") == 302
    customer = hotel.browser("nobody")
    customer.get(url("chat_enter", token))

    page = customer.get(url("chat_page")).content.decode()

    assert link.conversation == hotel.talk
    assert "Aoi" not in page
