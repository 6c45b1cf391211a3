"""Undo, as the writer sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as project
from django.utils import timezone

from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.record.models import Message
from tests.console.conftest import Hotel


@pytest.fixture
def undo(settings: Any) -> None:
    settings.CONTACT_GUARD = {**project.CONTACT_GUARD, "UNDO_SECONDS": 5}


@pytest.mark.usefixtures("undo")
def test_a_message_just_sent_has_a_button_that_gives_its_text_back(hotel: Hotel) -> None:
    hotel.send("aoi", "Your room is <b>ready</b>.")
    page = hotel.get("aoi", "inbox_conversation", hotel.talk.pk).content.decode()
    message = Message.objects.get()
    assert 'data-cg-key="z"' in page
    assert "Not sent yet" in page

    back = hotel.post("aoi", "message_recall", message.pk, data={"change": "1"}).content.decode()

    assert "Your room is &lt;b&gt;ready&lt;/b&gt;.</textarea>" in back
    assert f'name="replaces" value="{message.pk}"' in back
    assert "Taken back, not sent" in back
    assert 'data-cg-key="z"' not in back


@pytest.mark.usefixtures("undo")
def test_only_the_writer_sees_the_button(hotel: Hotel) -> None:
    hotel.send("aoi")

    page = hotel.get("chief", "conversation", hotel.talk.pk).content.decode()

    assert "Not sent yet" in page
    assert "/recall/" not in page


@pytest.mark.usefixtures("undo")
def test_a_message_that_has_gone_says_so(hotel: Hotel) -> None:
    hotel.send("aoi")
    Wait.objects.update(state="released", due_at=None, ended_at=timezone.now() - timedelta(seconds=1))

    late = hotel.post("aoi", "message_recall", Message.objects.get().pk)

    assert late.status_code == 409
    assert "It is too late to take this message back" in late.content.decode()


def test_without_the_setting_nothing_waits(hotel: Hotel) -> None:
    hotel.send("aoi")

    assert not Wait.objects.exists()


def test_a_mistake_of_the_detector_needs_no_words(hotel: Hotel) -> None:
    text = "個人のLINEは aoi_private です。こちらにどうぞ"
    assert hotel.send("aoi", text).status_code == 422

    hotel.send("aoi", text, override_code="mistake")

    assert Message.objects.get().events.filter(kind="override.mistake").exists()
