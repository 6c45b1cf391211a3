"""The pages of a consultation: asking, answering, ending, and what nobody else sees."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.consulting.consultations import consultation_history
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.opening import consultation_open
from tests.console.conftest import Hotel, alert_for, says, url


def ask(hotel: Hotel, **form: object) -> Consultation:
    response = hotel.post("aoi", "consultation_new", hotel.talk.pk, data={"wish": "advice", **form})
    assert response.status_code == 302, response.content.decode()
    return Consultation.objects.latest("opened_at")


def test_from_a_message_to_help_without_a_script(hotel: Hotel) -> None:
    said = says(hotel.talk, "You stupid <cow>, answer!")
    thread = hotel.get("aoi", "inbox_conversation", hotel.talk.pk).content.decode()
    address = url("consultation_new", hotel.talk.pk) + f"?message={said.pk}"
    assert address in thread

    page = hotel.browser("aoi").get(address).content.decode()
    assert f'value="{said.pk}" checked' in page
    assert "You stupid &lt;cow&gt;, answer!" in page
    assert "Chief is told at once." in page
    row = ask(hotel, message=[str(said.pk)], words="I am <b>afraid</b> of him.")

    shown = hotel.get("chief", "consultation", row.pk).content.decode()
    assert "I am &lt;b&gt;afraid&lt;/b&gt; of him." in shown
    assert "You stupid &lt;cow&gt;, answer!" in shown
    assert Event.objects.filter(kind="view.content", actor=str(hotel.people["chief"].pk)).count() == 1


def test_asking_back_and_ending(hotel: Hotel) -> None:
    row = ask(hotel)
    day = (timezone.localdate() + timedelta(days=7)).isoformat()
    form = {"text": "I'll speak to him.", "follow_up_on": day}
    assert hotel.post("chief", "consultation_reply", row.pk, data=form).status_code == 302
    assert "I&#x27;ll speak to him." in hotel.get("aoi", "consultation", row.pk).content.decode()
    assert hotel.post("aoi", "consultation_reply", row.pk, data={"text": "Thank you."}).status_code == 302
    assert hotel.post("chief", "consultation_close", row.pk, data={"result": "warned"}).status_code == 302

    row.refresh_from_db()
    assert (row.status, row.result) == ("closed", "warned")
    assert row.follow_up_at is not None
    assert [event.kind for event in consultation_history(row)][-1] == "consultation.closed"
    again = hotel.post("chief", "consultation_close", row.pk, data={"result": "advised"})
    assert again.status_code == 409
    assert "already closed" in again.content.decode()


def test_input_that_fails_is_given_back(hotel: Hotel) -> None:
    row = ask(hotel)
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()

    empty = hotel.post("aoi", "consultation_reply", row.pk, data={"text": " "})
    late = hotel.post("chief", "consultation_reply", row.pk, data={"text": "Later", "follow_up_on": yesterday})
    never = hotel.post("chief", "consultation_reply", row.pk, data={"text": "Later", "follow_up_on": "never"})
    long = hotel.post("aoi", "consultation_new", hotel.talk.pk, data={"wish": "advice", "words": "é" * 4001})
    stray = hotel.post("aoi", "consultation_new", hotel.talk.pk, data={"wish": "advice", "message": [uuid4(), "x"]})
    wish = hotel.post("aoi", "consultation_new", hotel.talk.pk, data={"wish": "revenge"})
    result = hotel.post("chief", "consultation_close", row.pk, data={"result": "fired", "text": "Mine"})

    answers = (empty, late, never, long, stray, wish, result)
    assert [response.status_code for response in answers] == [422] * 7
    assert "Write a few words first." in empty.content.decode()
    assert "Choose a date that is still to come." in late.content.decode()
    assert ">\nLater</textarea>" in never.content.decode()
    assert "Choose messages of this conversation." in stray.content.decode()
    assert ">\nMine</textarea>" in result.content.decode()
    assert Consultation.objects.count() == 1


def test_lists_hold_what_one_has_a_part_in(hotel: Hotel) -> None:
    row = consultation_open(conversation=hotel.talk, actor=hotel.people["aoi"], to_compliance=True)
    link = url("consultation", row.pk)

    seen = {who: link in hotel.get(who, "consultations").content.decode() for who in hotel.people if who != "auditor"}

    assert {who for who, found in seen.items() if found} == {"aoi", "compliance"}
    for who in ("ken", "ren", "chief", "vice", "boss", "auditor"):
        assert hotel.get(who, "consultation", row.pk).status_code == 404
    assert hotel.get("auditor", "consultations").status_code == 403
    assert url("consultations") not in hotel.get("auditor", "dashboard").content.decode()


def test_a_supervisor_opens_one_for_the_employee_from_an_alert(hotel: Hotel) -> None:
    said = says(hotel.talk, "Give me your number")
    raised = alert_for(hotel.talk, said)
    address = url("consultation_new", hotel.talk.pk) + f"?message={said.pk}"
    assert address in hotel.get("chief", "alert", raised.pk).content.decode()
    assert address not in hotel.get("auditor", "alert", raised.pk).content.decode()
    page = hotel.browser("chief").get(address).content.decode()
    assert "Open a consultation for Aoi" in page
    assert "Which messages?" in page

    hotel.post("chief", "consultation_new", hotel.talk.pk, data={"wish": "advice", "message": [str(said.pk)]})

    row = Consultation.objects.get()
    assert (row.employee, row.origin, row.addressee) == (hotel.people["aoi"], "supervisor", hotel.people["chief"])
    shown = hotel.get("aoi", "consultation", row.pk).content.decode()
    assert "We saw this." in shown
    assert "<mark" not in shown


def test_after_the_talk_went_to_somebody_else_the_words_stay_and_the_messages_go(hotel: Hotel) -> None:
    said = says(hotel.talk, "You useless thing")
    row = ask(hotel, message=[str(said.pk)], words="Please take him off me.")
    hotel.talk.employee = hotel.people["ken"]
    hotel.talk.save()

    page = hotel.get("aoi", "consultation", row.pk)

    assert page.status_code == 200
    assert "Please take him off me." in page.content.decode()
    assert "You useless thing" not in page.content.decode()
