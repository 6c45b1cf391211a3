"""How long a search for the newest 50 messages takes on PostgreSQL, beside LIKE on the same texts.

    python benchmarks/bench_search.py [--messages 100000 1000000] [--words 200]

Texts are 1 to 5 lines of real talk (``training/real.py``) with a number mixed in. Words are drawn from the texts: of two
characters, of any frequency, and phrases of eight. A search asks the index and reads the candidates again, as the page
does, without its permissions and its template. Exit code 1 if the 95th percentile exceeds 20 ms for words or 100 ms for
phrases.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from record_database import fresh

sys.path.insert(0, str(Path(__file__).parent.parent))
from training import real

BATCH = 5_000
PAGE = 50
MOST_MS = {"words of two": 20.0, "phrases of eight": 100.0}


def texts(number: int, draw: random.Random) -> Iterator[str]:
    """Draw messages."""
    lines = [
        row["text"] for name in ("ja_realpersonachat", "ja_asdc", "en_sgd") for row in real.messages(name, "measuring")
    ]
    for _ in range(number):
        yield " ".join([*draw.choices(lines, k=draw.randint(1, 5)), str(draw.randrange(10**6))])


def write(connection: Any, number: int, draw: random.Random) -> list[str]:
    """Write texts and their index, and return some of the texts."""
    from crm_contact_guard.directory.ids import uuid7
    from crm_contact_guard.search.engines import engine
    from crm_contact_guard.search.folding import fold
    from crm_contact_guard.search.models import SearchEntry

    index, kept, rows = engine(), [], []
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX contact_guard_search_terms")
        cursor.execute("CREATE TABLE texts (id uuid PRIMARY KEY, number bigint, body text)")
        started = time.process_time()
        for count, text in enumerate(texts(number, draw), 1):
            key = uuid7()
            folded = fold(text)
            rows.append((key, count, folded))
            if draw.random() < 2000 / number:
                kept.append(folded)
            if len(rows) == BATCH or count == number:
                entries = [SearchEntry(number=n, message_id=pk, terms=index.terms(n, body)) for pk, n, body in rows]
                SearchEntry.objects.bulk_create(entries)
                with cursor.copy("COPY texts FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                rows.clear()
        print(f"  filling: {(time.process_time() - started) / number * 1e6:.0f} µs of our processor time a message")
        cursor.execute(
            f"CREATE INDEX contact_guard_search_terms ON {SearchEntry._meta.db_table} USING gin (terms)"
            " WITH (fastupdate = off)"
        )
        cursor.execute("CREATE UNIQUE INDEX ON texts (number)")
        cursor.execute("VACUUM ANALYZE")
        for name in ("contact_guard_search_terms", SearchEntry._meta.db_table, "texts"):
            cursor.execute("SELECT pg_relation_size(%s)", [name])
            print(f"  {name}: {cursor.fetchone()[0] / number:.0f} bytes a message")
    return kept


def search(connection: Any, word: str) -> int:
    """Find the newest messages as ``search.finding`` does."""
    from crm_contact_guard.search.engines import engine
    from crm_contact_guard.search.finding import CHUNK

    found, below = 0, 2**63 - 1
    while found < PAGE:
        candidates = engine().candidates([word], below, CHUNK)
        with connection.cursor() as cursor:
            cursor.execute("SELECT body FROM texts WHERE id = ANY(%s)", [[one.message_id for one in candidates]])
            found += sum(word in body for (body,) in cursor.fetchall())
        if len(candidates) < CHUNK:
            break
        below = candidates[-1].number
    return min(found, PAGE)


def like(connection: Any, word: str) -> int:
    """Find the same without an index."""
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM texts WHERE body LIKE %s ORDER BY number DESC LIMIT 50", [f"%{escaped}%"])
        return len(cursor.fetchall())


def percentiles(act: Callable[[str], int], words: list[str]) -> tuple[float, float, list[int]]:
    """Return the median and the 95th percentile in milliseconds, and how many each word found."""
    taken, found = [], []
    for word in words:
        started = time.perf_counter()
        found.append(act(word))
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1], found


def drawn(kept: list[str], length: int, number: int, draw: random.Random) -> list[str]:
    found: list[str] = []
    while len(found) < number:
        text = draw.choice(kept)
        start = draw.randrange(max(len(text) - length, 1))
        word = text[start : start + length]
        if len(word) == length and word == word.strip():
            found.append(word)
    return found


def measure(messages: int, words: int) -> bool:
    """Measure one size. Return whether the targets are met."""
    draw = random.Random(1)
    met = True
    with fresh("postgresql") as connection:
        print(f"{messages} messages")
        kept = write(connection, messages, draw)
        for name, length in (("words of two", 2), ("phrases of eight", 8)):
            asked = drawn(kept, length, words, draw)
            median, most, found = percentiles(lambda word: search(connection, word), asked)
            print(f"  {name}: median {median:.1f} ms, 95 % within {most:.1f} ms (limit {MOST_MS[name]:.0f})")
            few = asked[:20]
            peer_median, peer_most, peer_found = percentiles(lambda word: like(connection, word), few)
            print(f"  {name} by LIKE: median {peer_median:.1f} ms, 95 % within {peer_most:.1f} ms")
            assert peer_found == found[: len(few)], "the search found something else than LIKE"
            met &= most <= MOST_MS[name]
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--words", type=int, default=200)
    options = parser.parse_args()
    # Each size is measured, also after one that missed a target.
    met = [measure(number, options.words) for number in options.messages]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
