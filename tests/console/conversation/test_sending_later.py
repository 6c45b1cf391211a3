"""Choosing a time, and approved wordings, without JavaScript."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.record.models import Message
from tests.console.conftest import Hotel

NUDGED = "個人のLINEは aoi_private です。こちらにどうぞ"


def test_a_chosen_time_is_in_the_writers_zone(hotel: Hotel) -> None:
    zone = ZoneInfo(hotel.people["aoi"].timezone)
    chosen = (timezone.now().astimezone(zone) + timedelta(days=2)).replace(hour=10, minute=0, second=0, microsecond=0)

    assert hotel.send("aoi", send_at=chosen.strftime("%Y-%m-%dT%H:%M")).status_code == 302

    wait = Wait.objects.get()
    assert wait.due_at == chosen
    assert "Goes out" in hotel.get("aoi", "conversation", hotel.talk.pk).content.decode()


@pytest.mark.parametrize("typed", ["yesterday", "2026-13-01T10:00", "2020-01-01T10:00", "2199-01-01T10:00"])
def test_a_time_that_cannot_be_is_named_and_the_text_kept(hotel: Hotel, typed: str) -> None:
    response = hotel.send("aoi", "A long answer", send_at=typed)

    assert response.status_code == 422
    page = response.content.decode()
    assert 'aria-invalid="true"' in page
    assert ">A long answer</textarea>" in page
    assert not Message.objects.exists()


def test_an_approved_wording_fills_the_composer_and_is_not_sent(hotel: Hotel) -> None:
    asked = hotel.send("aoi", NUDGED).content.decode()
    assert 'name="use"' in asked

    filled = hotel.send("aoi", NUDGED, use="You can always reach me here.")

    assert filled.status_code == 200
    assert ">You can always reach me here.</textarea>" in filled.content.decode()
    assert not Message.objects.exists()


def test_messages_that_have_not_gone_are_listed_in_the_inbox(hotel: Hotel) -> None:
    assert "show=unsent" not in hotel.get("aoi", "inbox").content.decode()
    hotel.send("aoi", send_at=(timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"))

    listed = hotel.get("aoi", "inbox", query="?show=unsent").content.decode()
    assert "Hanako Sato" in listed

    hotel.post("aoi", "message_recall", Wait.objects.get().pk)
    assert "Hanako Sato" not in hotel.get("aoi", "inbox", query="?show=unsent").content.decode()
