"""The words that press for an answer: each entry of the pack matches its own examples."""

from __future__ import annotations

from crm_contact_guard.detection import packs
from crm_contact_guard.detection.demands import demands


def test_each_entry_matches_its_hits_and_nothing_its_misses() -> None:
    for entry in packs.read("demands")["words"]:
        assert [text for text in entry["hits"] if not demands(text)] == []
        assert [text for text in entry["misses"] if demands(text)] == []
    assert demands("I’m waiting")
    assert not demands("x" * 10_000_000)
