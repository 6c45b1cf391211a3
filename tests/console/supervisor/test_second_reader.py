"""What a supervisor sees of the second reader."""

from __future__ import annotations

import pytest
from django.utils import timezone, translation

from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.supervision.models import Alert
from tests.console.conftest import Hotel, alert_for, says


@pytest.fixture
def read(hotel: Hotel) -> Alert:
    """An alert that the reader set aside, with a sentence that would be markup."""
    alert = alert_for(hotel.talk, says(hotel.talk, "hello"))
    now = timezone.now()
    ReaderAnswer.objects.create(
        message=alert.at_message,
        alert=alert,
        first_tier="alert",
        by="customer",
        score=0.5,
        state="answered",
        deadline=now,
        created_at=now,
        answered_at=now,
        model="small-1",
        why="The customer asks <b>nothing</b>.",
        outcome="demoted",
    )
    Alert.objects.update(status="closed", resolution="noticed", closed_at=now)
    return alert


def test_the_page_shows_the_readers_sentence_as_a_machines(hotel: Hotel, read: Alert) -> None:
    page = hotel.get("chief", "alert", read.pk).content.decode()

    assert "The second reader (small-1) thinks:" in page
    assert "asks &lt;b&gt;nothing&lt;/b&gt;." in page
    assert "Written by a machine; it may be wrong." in page
    assert "by the second reader" in page


def test_a_person_opens_it_again_and_an_auditor_does_not(hotel: Hotel, read: Alert) -> None:
    assert "Open it again" not in hotel.get("auditor", "alert", read.pk).content.decode()
    assert "Open it again" in hotel.get("chief", "alert", read.pk).content.decode()
    assert hotel.post("chief", "alert_reopen", read.pk).status_code == 302

    page = hotel.get("chief", "alert", read.pk).content.decode()
    assert "Chief opened it again" in page
    assert 'name="resolution"' in page
    read.refresh_from_db()
    assert (read.status, read.resolution) == ("open", "")


def test_what_a_person_closed_is_opened_again_with_a_reason(hotel: Hotel, read: Alert) -> None:
    Alert.objects.update(resolution="no_action", closed_by=hotel.people["vice"])

    assert hotel.post("chief", "alert_reopen", read.pk).status_code == 422
    assert hotel.post("chief", "alert_reopen", read.pk, data={"reason": "He wrote again"}).status_code == 302


def test_an_erased_sentence_is_not_shown(hotel: Hotel, read: Alert) -> None:
    ReaderAnswer.objects.update(why=None)

    assert "thinks:" not in hotel.get("chief", "alert", read.pk).content.decode()


def test_it_is_said_in_japanese(hotel: Hotel, read: Alert) -> None:
    with translation.override("ja"):
        page = hotel.get("chief", "alert", read.pk, headers={"accept-language": "ja"}).content.decode()

    assert "AIによる二次判定" in page
