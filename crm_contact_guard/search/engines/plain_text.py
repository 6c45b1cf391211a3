"""Search on SQLite and MariaDB: the folded text, newest first.

A search reads every text until a page is full, so a rare word takes longer the longer the record is. MariaDB has no
index that finds Japanese words of two characters without an extension; decision 0015 says why SQLite has none here.
"""

from __future__ import annotations

from collections.abc import Sequence

from crm_contact_guard.search.engines.base import Candidate, Engine
from crm_contact_guard.search.models import SearchEntry


class PlainTextEngine(Engine):
    """Folded texts in a column."""

    def terms(self, number: int, folded: str) -> str:
        return folded

    def candidates(self, words: Sequence[str], below: int, most: int) -> list[Candidate]:
        found = SearchEntry.objects.filter(number__lt=below)
        for word in words:
            found = found.filter(terms__contains=word)
        return [Candidate(*row) for row in found.order_by("-number").values_list("number", "message_id")[:most]]
