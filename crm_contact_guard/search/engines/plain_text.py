"""Search on SQLite and MariaDB: the folded text, newest first.

Neither database has an index that finds Japanese words of two characters without an extension. Reading 100,000
messages takes some 40 ms on SQLite and 160 ms on MariaDB (docs/search.md).
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
