"""Pages ask the database as often for many rows as for few, and read no more than they show."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_contact_guard.channels.base import FileIn
from tests import factories
from tests.console.conftest import Hotel, alert_for, says
from tests.file_samples import PNG

PAGES = [
    ("chief", "dashboard", False),
    ("chief", "alerts", False),
    ("chief", "alerts_news", False),
    ("chief", "conversation", True),
    ("aoi", "inbox", False),
    ("aoi", "inbox_news", False),
    ("aoi", "inbox_conversation", True),
    ("aoi", "conversation_news", True),
]


def grow(hotel: Hotel, number: int) -> None:
    """So many more conversations with an alert each, and so many more messages with a file in the one talk."""
    for _ in range(number):
        fresh = factories.conversation(hotel.people["aoi"], name="Guest")
        alert_for(fresh, says(fresh, "LINE?"), 0, 4)
        picture = FileIn(name="view.png", content_type="image/png", content=PNG)
        alert_for(hotel.talk, says(hotel.talk, "LINE?", files=(picture,)), 0, 4)


@pytest.mark.parametrize(("who", "page", "of_talk"), PAGES)
def test_more_rows_cost_no_more_queries(hotel: Hotel, who: str, page: str, of_talk: bool) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert hotel.get(who, page, *([hotel.talk.pk] if of_talk else [])).status_code == 200
        return len(captured)

    grow(hotel, 2)
    queries()  # what is read once a process or a session
    few = queries()
    grow(hotel, 6)
    queries()  # who sees what for the first time is recorded

    assert queries() == few


def test_the_lists_news_are_as_long_as_the_list(hotel: Hotel, monkeypatch: Any) -> None:
    """A longer list is not cut short by the next look at what is new."""
    monkeypatch.setattr("crm_contact_guard.console.employee.filtering.STEP", 2)
    grow(hotel, 4)

    page = hotel.get("aoi", "inbox", query="?limit=4").content.decode()
    [news] = re.findall(r'hx-get="([^"]*/inbox/news/[^"]*)"', page)

    assert page.count("data-cg-row ") == 4
    assert hotel.browser("aoi").get(news.replace("&amp;", "&")).content.decode().count("data-cg-row ") == 4
