"""Search on PostgreSQL: pairs of characters, hashed to integers, in an array with a GIN index.

An index of trigrams or of words doesn't find Japanese words of two characters. The hash of a pair includes the number
of a block of messages, so a search reads the newest blocks only: its cost depends on the size of a block, even if the
word is common and the record is long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final
from zlib import crc32

from django.db import connections

from crm_contact_guard.hosting import database
from crm_contact_guard.search.engines.base import Candidate, Engine
from crm_contact_guard.search.models import SearchEntry

#: Messages of a block are numbered alike but for their last bits.
BLOCK_BITS: Final = 14
#: Most blocks that one query asks for.
MOST_BLOCKS: Final = 16
_TABLE: Final = SearchEntry._meta.db_table
# The extension intarray brings an operator of the same name, for which PostgreSQL doesn't use the index.
_CONTAINS: Final = "terms OPERATOR(pg_catalog.@>) %s::pg_catalog.int4[]"


class BigramEngine(Engine):
    """Pairs of characters in PostgreSQL."""

    def terms(self, number: int, folded: str) -> list[int]:
        return _hashes([folded], number >> BLOCK_BITS)

    def candidates(self, words: Sequence[str], below: int, most: int) -> list[Candidate]:
        found: list[Candidate] = []
        newest = min(below, _newest() + 1) - 1 >> BLOCK_BITS
        blocks = 1
        while newest >= 0 and len(found) < most:
            oldest = max(newest - blocks + 1, 0)
            found += _ask(words, range(oldest, newest + 1), below, most - len(found))
            newest, blocks = oldest - 1, min(blocks * 2, MOST_BLOCKS)
        return found


def _newest() -> int:
    return SearchEntry.objects.order_by("-number").values_list("number", flat=True).first() or 0


def _ask(words: Sequence[str], blocks: Iterable[int], below: int, most: int) -> list[Candidate]:
    terms = [_hashes(words, block) for block in blocks]
    # The planner knows nothing of the hashes. Without MATERIALIZED it may walk through the whole table in order.
    query = (
        f"WITH hits AS MATERIALIZED (SELECT number, message_id FROM {_TABLE} WHERE {' OR '.join([_CONTAINS] * len(terms))})"  # noqa: E501, S608 - constants
        " SELECT number, message_id FROM hits WHERE number < %s ORDER BY number DESC LIMIT %s"
    )
    with database.atomic(), connections[database.alias()].cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(query, [*terms, below, most])
        rows = cursor.fetchall()
        cursor.execute("SET LOCAL enable_seqscan TO DEFAULT")
    return [Candidate(*row) for row in rows]


def _hashes(texts: Iterable[str], block: int) -> list[int]:
    """Return the hashes of the texts' pairs of characters in a block, as signed 32-bit integers."""
    prefix = crc32(block.to_bytes(8, "big"))
    pairs = {first + second for text in texts for first, second in pairwise(text)}
    return [crc32(pair.encode("utf-8", "surrogatepass"), prefix) - 2**31 for pair in pairs]
