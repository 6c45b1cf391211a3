"""A page that stays open all day: its reader's view is recorded anew once the working day is over, and not before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crm_contact_guard.record.models import Event
from tests.console.conftest import Hotel, says


def views(hotel: Hotel, who: str) -> int:
    return Event.objects.filter(kind="view.content", actor=str(hotel.people[who].pk)).count()


@pytest.mark.parametrize(("minutes", "recorded"), [(8 * 60 - 1, 1), (8 * 60 + 1, 2)])
def test_an_open_page_counts_as_one_view_for_eight_hours(
    hotel: Hotel, monkeypatch: pytest.MonkeyPatch, minutes: int, recorded: int
) -> None:
    says(hotel.talk, "hello")
    hotel.get("chief", "conversation", hotel.talk.pk)
    later = timezone.now() + timedelta(minutes=minutes)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)

    for _ in range(2):
        assert hotel.get("chief", "conversation_news", hotel.talk.pk).status_code in (200, 204)

    assert views(hotel, "chief") == recorded


def test_a_view_of_one_talk_or_by_one_person_is_none_of_another(hotel: Hotel) -> None:
    says(hotel.talk, "hello")
    says(hotel.other, "hello")
    hotel.get("compliance", "conversation", hotel.talk.pk)

    hotel.get("compliance", "conversation_news", hotel.other.pk)
    hotel.get("auditor", "conversation_news", hotel.talk.pk)

    assert (views(hotel, "compliance"), views(hotel, "auditor")) == (2, 1)
    assert Event.objects.filter(kind="view.content", conversation=hotel.other).count() == 1
