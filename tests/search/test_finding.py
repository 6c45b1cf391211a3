"""A search finds every message that the viewer may read and that contains the words, and no other."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from crm_contact_guard.exceptions import ConfigurationError, InvalidMessage, NotPermitted
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.search import engines, filling, finding, folding
from crm_contact_guard.search.engines import bigrams
from crm_contact_guard.search.engines.base import Candidate, Engine
from crm_contact_guard.search.finding import Found, message_search
from crm_contact_guard.search.models import SearchEntry
from tests import factories

pytestmark = pytest.mark.django_db


def search(viewer: Any, typed: str, below: int | None = None, **lookups: Any) -> Found:
    return message_search(viewer=viewer, typed=typed, lookups=lookups, filters={}, below=below)


def texts(found: Found) -> list[str | None]:
    return [message.text for message in found.messages]


@pytest.fixture
def talk(clerk: Any) -> Any:
    return factories.conversation(owner=clerk)


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "not yet indexed"])
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("京都", ["明日、京都へ行きます。"]),
        ("ﾎﾃﾙ", ["ホテルの予約です"]),
        ("hotel", ["The HOTEL is full."]),
        ("ＨＯＴＥＬ full", ["The HOTEL is full."]),
        ("hotel empty", []),
        ('"is full"', ["The HOTEL is full."]),
        ('"full is"', []),
        ("「京都へ行」", ["明日、京都へ行きます。"]),
        ("100%", ["100% wool"]),
        ("1_0", []),
        ("a\\b", ["a\\b"]),
        ("が", None),
        ("x y", None),
    ],
)
def test_words_of_two_characters_and_more(
    clerk: Any, talk: Any, indexed: bool, typed: str, expected: list[str] | None
) -> None:
    for text in (
        "明日、京都へ行きます。",
        "ホテルの予約です",
        "The HOTEL is full.",
        "100% wool",
        "1000 wool",
        "a\\b",
        "",
    ):
        factories.received(text, talk)
    if indexed:
        filling.fill()

    if expected is None:
        with pytest.raises(InvalidMessage, match="two or more characters"):
            search(clerk, typed)
    else:
        assert texts(search(clerk, typed)) == expected


def test_a_page_at_a_time_newest_first_and_none_is_missed(
    clerk: Any, talk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bigrams, "BLOCK_BITS", 2)
    monkeypatch.setattr(finding, "PAGE", 3)
    monkeypatch.setattr(finding, "CHUNK", 2)
    wanted = [f"room {number}" for number in range(20)]
    for number, text in enumerate(wanted):
        factories.received(text, talk)
        if number % 3 == 0:
            factories.received("something else", talk)
        if number == 12:
            filling.fill()
    filling.fill(3)

    found = [search(clerk, "room")]
    while found[-1].below is not None:
        found.append(search(clerk, "room", found[-1].below))

    assert [text for page in found for text in texts(page)] == wanted[::-1]
    assert all(len(page.messages) == 3 for page in found[1:-1])


def test_only_what_the_viewer_may_read(clerk: Any, talk: Any) -> None:
    stranger = factories.employee("ren", branch=factories.team("Hall", head="boss"))
    factories.received("京都です", talk)
    filling.fill()
    supervisor = factories.employee("sora2", job="chief")

    assert texts(search(clerk, "京都")) == ["京都です"]
    assert texts(search(stranger, "京都")) == []
    assert texts(search(supervisor, "京都")) == []
    assert texts(search(clerk, "京都", channel="email")) == []
    clerk.active = False
    with pytest.raises(NotPermitted):
        search(clerk, "京都")


def test_the_search_is_recorded_with_what_it_showed(clerk: Any, talk: Any) -> None:
    factories.received("京都です", talk)
    message_search(viewer=clerk, typed="京都", lookups={}, filters={"customer": "佐藤", "channel": "chat"})

    event = Event.objects.get(kind="view.search")
    assert event.reason == "京都 · 佐藤"
    assert json.loads(event.data) == {"filters": {"channel": "chat"}, "results": 1, "conversations": []}
    assert event.actor == str(clerk.pk)


def test_an_erased_message_is_found_no_more_and_leaves_nothing_in_the_index(clerk: Any, talk: Any) -> None:
    message = factories.received("京都です", talk)
    filling.fill()
    assert SearchEntry.objects.count() == 1

    erase_messages(Message.objects.filter(pk=message.pk), basis="request")

    assert not SearchEntry.objects.exists()
    filling.fill()
    assert not SearchEntry.objects.exists()
    assert texts(search(clerk, "京都")) == []


def test_a_message_that_was_committed_late_is_indexed(clerk: Any, talk: Any) -> None:
    late = factories.received("京都から", talk)
    factories.received("later", talk)
    filling.fill()
    SearchEntry.objects.filter(message_id=late.pk).delete()  # as if it hadn't been there

    assert filling.fill() == 1
    assert texts(search(clerk, "京都")) == ["京都から"]


def test_the_index_is_filled_again_by_a_command(clerk: Any, talk: Any, capsys: pytest.CaptureFixture[str]) -> None:
    factories.received("京都です", talk)
    filling.fill()
    SearchEntry.objects.update(terms=[] if connection.vendor == "postgresql" else "")
    assert texts(search(clerk, "京都")) == []

    call_command("contact_guard_rescan", "--search-index")

    assert texts(search(clerk, "京都")) == ["京都です"]
    assert "1 messages are in the search index" in capsys.readouterr().out


def test_a_search_that_reads_too_much_stops_and_can_go_on(
    clerk: Any, talk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "CHUNK", 2)
    monkeypatch.setattr(finding, "MOST_READ", 4)
    other = factories.conversation(owner=factories.employee("ren", branch=factories.team("Hall", head="boss")))
    factories.received("京都 mine", talk)
    for _ in range(6):
        factories.received("京都 theirs", other)
    filling.fill()

    found = search(clerk, "京都")
    assert (texts(found), found.stopped) == ([], True)
    assert texts(search(clerk, "京都", found.below)) == ["京都 mine"]


class Own(Engine):
    """An engine that knows one message."""

    kept: dict[str, int] = {}

    def terms(self, number: int, folded: str) -> str | list[int]:
        self.kept[folded] = number
        return [] if connection.vendor == "postgresql" else ""

    def candidates(self, words: Any, below: int, most: int) -> list[Candidate]:
        rows = SearchEntry.objects.filter(number__lt=below).order_by("-number")
        return [Candidate(row.number, row.message_id) for row in rows[:most]]

    def forget(self, message_ids: Any) -> None:
        self.kept.clear()


def test_an_engine_of_the_company(clerk: Any, talk: Any, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "SEARCH_ENGINE": f"{__name__}.Own"}
    message = factories.received("京都です", talk)
    filling.fill()

    assert Own.kept == {"京都です": 1}
    assert texts(search(clerk, "京都")) == ["京都です"]
    erase_messages(Message.objects.filter(pk=message.pk), basis="request")
    assert Own.kept == {}


@pytest.mark.parametrize(
    "path", ["nowhere.Engine", f"{__name__}.pytestmark", "crm_contact_guard.search.models.SearchEntry"]
)
def test_an_engine_that_is_none(settings: Any, path: str) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "SEARCH_ENGINE": path}
    with pytest.raises(ConfigurationError, match="SEARCH_ENGINE"):
        engines.engine()


def test_the_engine_finds_what_the_texts_contain_whatever_they_are(clerk: Any, talk: Any) -> None:
    draw = random.Random(7)
    letters = "京都府大阪市あいう abcｱｲ"
    kept = ["".join(draw.choice(letters) for _ in range(draw.randrange(1, 30))) for _ in range(120)]
    for text in kept:
        factories.received(text, talk)
    filling.fill()

    for _ in range(60):
        word = "".join(draw.choice("京都府大阪市あいうabcｱｲ") for _ in range(draw.randrange(2, 4)))
        expected = sorted(text for text in kept if folding.fold(word) in folding.fold(text))
        assert sorted(text or "" for text in texts(search(clerk, word))) == expected[:50] or len(expected) > 50


@given(st.text(alphabet="aA Ａｶﾞガがé́ß\n\t 京", max_size=40), st.text(alphabet="aガがß京", min_size=1, max_size=4))
def test_marks_lie_on_the_words(text: str, word: str) -> None:
    for start, end in folding.places(text, [folding.fold(word)]):
        assert folding.fold(word) in folding.fold(text[start:end])
